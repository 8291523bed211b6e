/**
 * A cache with a limit in bytes. The least recently used entries are dropped first. One entry may take half of the limit; a larger one is not
 * kept.
 */
export class ByteCache {
  readonly maxBytes: number;
  readonly #entries = new Map<unknown, { readonly value: unknown; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes of all entries, as their owners estimated them. */
  get bytes(): number {
    return this.#bytes;
  }

  get<T>(key: unknown): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value as T;
  }

  set(key: unknown, value: unknown, bytes: number): void {
    this.delete(key);
    if (bytes > this.maxBytes / 2) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: unknown): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
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
