import { isoTime } from "../iso-time.ts";

/** Receives whole lines. */
export interface LogStream {
  write(line: string): void;
}

/** A stream of Node, such as standard output. */
export interface LogTarget extends LogStream {
  /** Characters that wait for the reader of a pipe. */
  readonly writableLength: number;
}

/** Lines wait at most this time, milliseconds, and this many characters. */
const BATCH_MS = 100;
const BATCH_CHARS = 16 * 1024;
/** While this many characters wait for a reader that has stopped, further lines are lost. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024;

/**
 * Writes several lines at once: under load, a system call for each line takes longer than the rest of a request's bookkeeping. Errors are
 * written at once, and what waits is written when the process exits.
 *
 * A pipe or socket that is full doesn't hold up the process: Node keeps what it can't write. So that a reader that has stopped doesn't fill the
 * memory, lines are lost then, and a line says how many.
 */
export class BatchedLines implements LogStream {
  readonly #target: LogTarget;
  readonly #base: Readonly<Record<string, unknown>>;
  #waiting = "";
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param base the members that all lines have */
  constructor(target: LogTarget, base: Readonly<Record<string, unknown>>) {
    this.#target = target;
    this.#base = base;
    process.once("exit", () => this.flush());
  }

  write(line: string): void {
    if (this.#target.writableLength > MAX_WAITING_CHARS) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) this.#waiting += this.#lostLine();
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

  #lostLine(): string {
    const lost = this.#lost;
    this.#lost = 0;
    const msg = "lines of the log were lost, because nothing read standard output";
    return `${JSON.stringify({ level: "warn", time: isoTime(), ...this.#base, lines: lost, msg })}\n`;
  }
}
