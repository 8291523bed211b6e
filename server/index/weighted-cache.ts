/** Values that stay until together they weigh more than `max`. Then the least recently used are dropped. */
export class WeightedCache<T> {
  readonly #max: number;
  /** The least recently used first. */
  readonly #kept = new Map<string, { value: T; weight: number }>();
  #weight = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): T | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.value;
  }

  set(key: string, value: T, weight: number): void {
    this.#drop(key);
    this.#kept.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= this.#max) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#weight -= this.#kept.get(key)?.weight ?? 0;
    this.#kept.delete(key);
  }
}
