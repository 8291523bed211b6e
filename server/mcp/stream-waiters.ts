import type { Change } from "./tail.ts";

/** The readers of this instance that wait for new events of a stream. */
export class StreamWaiters {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Waits for the next event of the stream, at most `limitMs`. */
  wait(session: string, stream: string, limitMs: number): Change {
    const key = `${session}/${stream}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(key) ?? new Set();
    const cancel = () => {
      clearTimeout(timer);
      waiters.delete(cancel);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      resolve();
    };
    const timer = setTimeout(cancel, limitMs).unref();
    this.#waiters.set(key, waiters.add(cancel));
    return { promise, cancel };
  }

  /** The store has new events. @returns whether a reader of this instance waited for them */
  wake(session: string, stream: string): boolean {
    const waiters = this.#waiters.get(`${session}/${stream}`);
    for (const resolve of [...(waiters ?? [])]) resolve();
    return waiters !== undefined;
  }
}
