type Listener = () => void;

/** The readers of this instance that follow a stream. Each keeps little while nothing happens: no promise that waits, no timer that is made again. */
export class StreamWatchers {
  /** Replaced when a reader comes or goes. */
  readonly #listeners = new Map<string, readonly Listener[]>();

  /**
   * Calls back for each new event of the stream that this instance learns of, and every `everyMs`.
   *
   * @returns stops it
   */
  watch(session: string, stream: string, everyMs: number, listener: Listener): () => void {
    const key = `${session}/${stream}`;
    const timer = setInterval(listener, everyMs).unref();
    this.#listeners.set(key, [...(this.#listeners.get(key) ?? []), listener]);
    return () => {
      clearInterval(timer);
      const others = this.#listeners.get(key)?.filter((other) => other !== listener) ?? [];
      if (others.length > 0) this.#listeners.set(key, others);
      else this.#listeners.delete(key);
    };
  }

  /** The store has new events. @returns whether a reader of this instance follows the stream */
  wake(session: string, stream: string): boolean {
    const listeners = this.#listeners.get(`${session}/${stream}`);
    for (const listener of listeners ?? []) listener();
    return listeners !== undefined;
  }
}
