/** Values that stay until together they weigh more than `max`. Then the least recently used are dropped. */
export class WeightedCache<K, V> {
  readonly #max: number;
  readonly #maxOne: number;
  /** The least recently used first. */
  readonly #kept = new Map<K, { readonly value: V; readonly weight: number }>();
  #weight = 0;

  /** @param maxOne a heavier value is not kept; default: one value may weigh any amount */
  constructor(max: number, maxOne = Number.POSITIVE_INFINITY) {
    this.#max = max;
    this.#maxOne = maxOne;
  }

  /** Of all values together. */
  get weight(): number {
    return this.#weight;
  }

  get(key: K): V | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.value;
  }

  set(key: K, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.#maxOne) return;
    this.#kept.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= this.#max) return;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    this.#weight -= this.#kept.get(key)?.weight ?? 0;
    this.#kept.delete(key);
  }
}
