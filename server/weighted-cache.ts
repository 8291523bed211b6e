interface Kept<V> {
  readonly value: V;
  readonly weight: number;
  /** Since it was set, or since it was spared the last time. */
  used: boolean;
}

/**
 * Values that stay until together they weigh more than `max`. Then the oldest are dropped, but one that was used meanwhile is spared once and
 * counts as the newest ("second chance"). So a use only marks the value. To move it within the Map at each use would make V8 allocate
 * the Map's table again and again, in the part of the heap that only a full collection frees.
 */
export class WeightedCache<K, V> {
  readonly #max: number;
  readonly #maxOne: number;
  /** The oldest first. */
  readonly #kept = new Map<K, Kept<V>>();
  #weight = 0;

  /** @param maxOne a heavier value is not kept; default: `max` */
  constructor(max: number, maxOne = max) {
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
    found.used = true;
    return found.value;
  }

  set(key: K, value: V, weight = 1): void {
    this.delete(key);
    if (weight > this.#maxOne) return;
    this.#makeRoom(weight);
    this.#kept.set(key, { value, weight, used: false });
    this.#weight += weight;
  }

  delete(key: K): void {
    const found = this.#kept.get(key);
    if (!found) return;
    this.#weight -= found.weight;
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
    this.#weight = 0;
  }

  #makeRoom(weight: number): void {
    for (const [key, kept] of this.#kept) {
      if (this.#weight + weight <= this.#max) return;
      this.delete(key);
      if (!kept.used) continue;
      kept.used = false;
      this.#kept.set(key, kept);
      this.#weight += kept.weight;
    }
  }
}
