/** Receives whole lines. */
export interface LogStream {
  write(line: string): void;
}

/** Lines wait at most this time, milliseconds, and this many characters. */
const BATCH_MS = 100;
const BATCH_CHARS = 16 * 1024;

/**
 * Writes several lines at once: under load, a system call for each line takes longer than the rest of a request's bookkeeping. Errors are
 * written at once, and what waits is written when the process exits.
 */
export class BatchedLines implements LogStream {
  readonly #target: LogStream;
  #waiting = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(target: LogStream) {
    this.#target = target;
    process.once("exit", () => this.flush());
  }

  write(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length > BATCH_CHARS || /^\{"level":"(error|fatal)"/.test(line)) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting === "") return;
    const lines = this.#waiting;
    this.#waiting = "";
    this.#target.write(lines);
  }
}
