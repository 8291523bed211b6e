/** The state of the index of one repository. `updating`: results come from the state before. */
export interface IndexState {
  state: "none" | "building" | "ready" | "updating" | "failed";
  /** Files read so far, while it is built. */
  done?: number;
  total?: number;
  reason?: string;
  /** The indexed commit; "" if there is none. */
  commit?: string;
}

/** States of the indexes, by the root of the repository. */
export class IndexStates {
  readonly #states = new Map<string, IndexState>();
  readonly #listeners = new Set<(root: string) => void>();

  get(root: string): IndexState {
    return this.#states.get(root) ?? { state: "none" };
  }

  set(root: string, state: IndexState): void {
    this.#states.set(root, state);
    for (const listener of [...this.#listeners]) listener(root);
  }

  /** Forgets the repositories that are not among `roots`. */
  keep(roots: ReadonlySet<string>): void {
    for (const root of this.#states.keys()) if (!roots.has(root)) this.#states.delete(root);
  }

  all(): IndexState[] {
    return [...this.#states.values()];
  }

  /** The number of repositories whose index can be queried. */
  get usable(): number {
    return this.all().filter(isUsable).length;
  }

  /**
   * Waits until the index of a repository can be queried, or its build has failed, at most `limitMs` milliseconds.
   *
   * @param onState called with each state until then
   * @throws the reason of the signal if that is aborted
   */
  async built(
    root: string,
    options: { signal: AbortSignal; limitMs: number; onState: (state: IndexState) => void },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal, limitMs, onState } = options;
    const listener = (changed: string) => {
      if (changed !== root) return;
      const state = this.get(root);
      if (isUsable(state) || state.state === "failed") resolve();
      else onState(state);
    };
    const onAbort = () => reject(signal.reason);
    const timer = setTimeout(resolve, limitMs);
    this.#listeners.add(listener);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      signal.throwIfAborted();
      listener(root);
      await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

const isUsable = ({ state }: IndexState) => state === "ready" || state === "updating";
