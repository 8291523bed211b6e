import { CheckFailure } from "./check.ts";

/** A limit for some work: a signal for work that heeds one, and an end for work that does not. */
export class Limit {
  /** Fires when the time is over or when `outer` fires. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  /** @param ms milliseconds */
  constructor(ms: number, outer?: AbortSignal) {
    const over = new AbortController();
    this.#timer = setTimeout(() => over.abort(new CheckFailure(`no answer within ${ms / 1000} s`)), ms);
    this.signal = outer === undefined ? over.signal : AbortSignal.any([outer, over.signal]);
  }

  /** The result of `work`. @throws CheckFailure when the time is over first */
  async race<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(this.signal.reason);
    if (this.signal.aborted) onAbort();
    this.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work, promise]);
    } finally {
      clearTimeout(this.#timer);
      this.signal.removeEventListener("abort", onAbort);
      // When the limit won, the work's own failure comes later and concerns nobody.
      work.catch(() => undefined);
    }
  }
}
