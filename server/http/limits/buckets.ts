import type { MaybePromise } from "../../maybe-promise.ts";

/** The result of consuming a token. */
export interface BucketResult {
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly left: number;
  /** How long until the next token, milliseconds; 0 if one was consumed. */
  readonly waitMs: number;
}

/** Token buckets by key: in memory for one machine, or in Valkey for several. */
export interface BucketStore {
  /**
   * Consumes one token of the bucket `key`, which holds at most `capacity` and gains `perSecond` each second.
   *
   * The result is there at once where nothing has to be waited for.
   */
  take(key: string, capacity: number, perSecond: number): MaybePromise<BucketResult>;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets in this process. A missing bucket counts as full, so the least recently used one can be dropped when there are too many. */
export class MemoryBuckets implements BucketStore {
  /** Nearly in the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #max: number;
  readonly #now: () => number;

  /** @param options.max the most buckets to keep, about 100 bytes each. Default 50,000 */
  constructor(options: { max?: number; now?: () => number } = {}) {
    this.#max = options.max ?? 50_000;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, capacity: number, perSecond: number): BucketResult {
    const now = this.#now();
    const old = this.#buckets.get(key);
    const tokens = old ? Math.min(capacity, old.tokens + ((now - old.at) / 1_000) * perSecond) : capacity;
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    if (old) {
      old.tokens = left;
      old.at = now;
    }
    // The order matters only once something may have to be dropped. Until then, it would cost each request two changes of the map.
    if (!old || this.#buckets.size * 2 > this.#max) {
      this.#buckets.delete(key);
      this.#buckets.set(key, old ?? { tokens: left, at: now });
      if (this.#buckets.size > this.#max) this.#dropOldest();
    }
    return { allowed, left: Math.floor(left), waitMs: allowed ? 0 : ((1 - left) / perSecond) * 1_000 };
  }

  #dropOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}
