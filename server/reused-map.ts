/** Keys without a value that are kept. Beyond it, and when they are the most, all of them are removed. */
const MAX_EMPTY = 1_000;

/**
 * A Map for keys that come back soon, such as those of callers: each has a value for the time of a request. `delete` keeps the key. Where keys
 * come and go, V8 allocates the table of a Map again and again, and that of a Map that lives long in the part of the heap that only a full
 * collection frees.
 */
export class ReusedMap<K, V> {
  #values = new Map<K, V | undefined>();
  #empty = 0;

  /** Number of keys with a value. */
  get size(): number {
    return this.#values.size - this.#empty;
  }

  /** Number of keys that are kept. */
  get keys(): number {
    return this.#values.size;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  set(key: K, value: V): void {
    if (this.#values.get(key) === undefined && this.#values.has(key)) this.#empty--;
    this.#values.set(key, value);
  }

  delete(key: K): void {
    if (this.#values.get(key) === undefined) return;
    this.#values.set(key, undefined);
    this.#empty++;
    if (this.#empty > MAX_EMPTY && this.#empty * 2 > this.#values.size) this.#sweep();
  }

  #sweep(): void {
    this.#values = new Map([...this.#values].filter(([, value]) => value !== undefined));
    this.#empty = 0;
  }
}
