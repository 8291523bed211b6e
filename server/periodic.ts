export interface PeriodicOptions {
  /** From the end of one round to the start of the next, milliseconds. */
  readonly everyMs: number;
  /** One round of the work. The signal is aborted when the work is stopped. */
  readonly round: (signal: AbortSignal) => unknown;
  /** Receives the error of a round that failed. Not called once the work is stopped. */
  readonly onError: (error: Error) => void;
  /**
   * Each failure in a row doubles the wait, up to this, milliseconds. Default `everyMs`: no back-off, for work that others wait for
   * (heartbeats) or that costs nothing.
   */
  readonly maxBackOffMs?: number;
  /**
   * Each wait is shortened by a random part of itself, at most this (0 to 1), so that instances that start together do not stay in step.
   * A wait is never longer than `everyMs`. Default 0.1.
   */
  readonly jitter?: number;
  /** Stops the work when aborted. */
  readonly signal?: AbortSignal;
}

/** Work that is repeated in the background. Rounds never overlap, and the timer does not keep the process alive. */
export class Periodic {
  readonly #options: PeriodicOptions;
  readonly #stopped = new AbortController();
  #started = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failures = 0;

  constructor(options: PeriodicOptions) {
    this.#options = options;
    if (options.signal?.aborted) void this.stop(options.signal.reason);
    options.signal?.addEventListener("abort", () => void this.stop(options.signal?.reason), { once: true });
  }

  /**
   * Starts the rounds. Does nothing if they were started or stopped before.
   *
   * @param first when the first round runs; default: after one wait
   */
  start(first: "now" | "later" = "later"): this {
    if (this.#started || this.#stopped.signal.aborted) return this;
    this.#started = true;
    if (first === "now") void this.run();
    else this.#schedule();
    return this;
  }

  /** Runs a round now, or joins the one that is running. Never rejects: see `onError`. */
  run(): Promise<void> {
    if (this.#stopped.signal.aborted) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  /** Like `run`, with a round that starts after this call: one that is running may have passed what has just changed. */
  rerun(): Promise<void> {
    if (!this.#running) return this.run();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.run();
    });
    return this.#next;
  }

  /** Aborts the signal of a running round and starts no other. @returns when the running round has ended */
  async stop(reason?: unknown): Promise<void> {
    this.#stopped.abort(reason);
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    const { signal } = this.#stopped;
    try {
      await this.#options.round(signal);
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      if (!signal.aborted) this.#options.onError(error as Error);
    }
  }

  #schedule(): void {
    if (!this.#started || this.#stopped.signal.aborted) return;
    const { everyMs, maxBackOffMs = everyMs, jitter = 0.1 } = this.#options;
    const wait = Math.min(everyMs * 2 ** Math.min(this.#failures, 30), Math.max(everyMs, maxBackOffMs));
    this.#timer = setTimeout(() => void this.run(), wait * (1 - jitter * Math.random())).unref();
  }
}
