/** What came of asking a bucket for a token. */
export interface Taken {
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly left: number;
  /** Until the next token is there, milliseconds; 0 when one was taken. */
  readonly waitMs: number;
}

/** Token buckets by key. In memory for one machine; a store that several machines share (Valkey, a script of ten lines) implements the same. */
export interface BucketStore {
  /**
   * Takes one token of the bucket `key`, which holds at most `capacity` and gains `perSecond` each second.
   */
  take(key: string, capacity: number, perSecond: number): Promise<Taken>;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets in this process. A bucket that is not kept is a full one, so the oldest may be forgotten when there are too many. */
export class MemoryBuckets implements BucketStore {
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #max: number;
  readonly #now: () => number;

  /** @param options.max buckets kept, some 100 bytes each; default 50,000 */
  constructor(options: { max?: number; now?: () => number } = {}) {
    this.#max = options.max ?? 50_000;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#buckets.size;
  }

  async take(key: string, capacity: number, perSecond: number): Promise<Taken> {
    const now = this.#now();
    const old = this.#buckets.get(key);
    const tokens = old ? Math.min(capacity, old.tokens + ((now - old.at) / 1_000) * perSecond) : capacity;
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: left, at: now });
    if (this.#buckets.size > this.#max) this.#forgetOldest();
    return { allowed, left: Math.floor(left), waitMs: allowed ? 0 : ((1 - left) / perSecond) * 1_000 };
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}
