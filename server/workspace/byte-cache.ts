import { WeightedCache } from "../weighted-cache.ts";

/**
 * A cache with a limit in bytes. The least recently used entries are dropped first. One entry may take half of the limit; a larger one is not
 * kept.
 */
export class ByteCache extends WeightedCache<unknown, unknown> {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(maxBytes, maxBytes / 2);
    this.maxBytes = maxBytes;
  }

  /** Bytes of all entries, as their owners estimated them. */
  get bytes(): number {
    return this.weight;
  }

  override get<T>(key: unknown): T | undefined {
    return super.get(key) as T | undefined;
  }
}

/** An estimate of the memory that a value of strings, numbers, arrays, sets and plain objects takes, bytes. */
export function sizeInMemory(value: unknown): number {
  if (typeof value === "string") return 24 + 2 * value.length;
  if (value instanceof Set) return sizeInMemory([...value]) + 32 * value.size;
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + 8 + sizeInMemory(one), 32);
  if (typeof value === "object" && value !== null)
    return Object.values(value).reduce<number>((sum, one) => sum + 16 + sizeInMemory(one), 32);
  return 8;
}

/** What the server keeps of its repositories: listings, and the results of git commands. */
export const repositoryCache = new ByteCache(32 * 1024 * 1024);
