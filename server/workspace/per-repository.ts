/** Largest number of repositories; the oldest one is dropped first. */
const MAX_REPOSITORIES = 1_000;

/** One object for each repository, made when it is first needed. */
export class PerRepository<T> {
  readonly #known = new Map<string, T>();
  readonly #make: (root: string) => T;

  constructor(make: (root: string) => T) {
    this.#make = make;
  }

  /** @param root absolute path of the work tree, without symbolic links */
  of(root: string): T {
    const known = this.#known.get(root);
    if (known !== undefined) return known;
    const made = this.#make(root);
    this.#known.set(root, made);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REPOSITORIES) break;
      this.#known.delete(oldest);
    }
    return made;
  }
}
