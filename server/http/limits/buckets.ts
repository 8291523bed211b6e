import type { MaybePromise } from "../../maybe-promise.ts";
import { WeightedCache } from "../../weighted-cache.ts";

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

/** Buckets in this process. A missing bucket counts as full, so one that was not used of late can be dropped when there are too many. */
export class MemoryBuckets implements BucketStore {
  readonly #buckets: WeightedCache<string, Bucket>;
  readonly #now: () => number;

  /** @param options.max the most buckets to keep, about 100 bytes each. Default 50,000 */
  constructor(options: { max?: number; now?: () => number } = {}) {
    this.#buckets = new WeightedCache(options.max ?? 50_000);
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#buckets.weight;
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
    } else this.#buckets.set(key, { tokens: left, at: now });
    return { allowed, left: Math.floor(left), waitMs: allowed ? 0 : ((1 - left) / perSecond) * 1_000 };
  }
}
