import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** From SIGTERM to SIGKILL, milliseconds: git removes its lock files on SIGTERM, and nothing does on SIGKILL. */
const TERM_MS = 1_000;
/** From SIGKILL to giving the process up, milliseconds: one that hangs in the kernel (a dead network file system) never ends. */
const KILL_MS = 1_000;
/** How long the output of an ended program may stay open and silent, milliseconds: another process holds it then. */
const SILENT_MS = 500;

export interface ProcessOptions {
  cwd: string;
  env: Record<string, string>;
  /** Ended after this many milliseconds. */
  timeoutMs: number;
  /** Ended when more than this arrives on stdout without `onChunk`, bytes. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /**
   * Takes stdout piece by piece instead of collecting it. `false` means enough: the program is ended. Nothing more is read while
   * a promise is pending, so the program waits too. An error ends the program and is the error of the whole run.
   */
  onChunk?: ((chunk: Buffer) => boolean | Promise<boolean>) | undefined;
  /** Takes stderr piece by piece. */
  onStderr?: ((text: string) => void) | undefined;
}

export interface ProcessResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
  /** Why we ended it, if we did. */
  stopped: "timeout" | "abort" | "enough" | "too-much" | undefined;
}

/**
 * Runs a program in a process group of its own. The run is over when the program itself has ended: what it started ends with it,
 * and nobody who still holds its output can delay the result.
 *
 * @throws when the program cannot be started, or what `onChunk` or `onStderr` threw
 */
export async function runProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exit = exitOf(child);
  if (child.pid === undefined) return exit as Promise<never>;
  const group = new ProcessGroup(child.pid);

  let stopped: ProcessResult["stopped"];
  let failure: unknown;
  let giveUp: () => void = () => undefined;
  const givenUp = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
  });
  const stop = (why: ProcessResult["stopped"]) => {
    stopped ??= why;
    // Nobody reads on: a program that writes without end gets SIGPIPE beside the signals.
    child.stdout.destroy();
    group.end(giveUp);
  };
  const timer = setTimeout(() => stop("timeout"), options.timeoutMs);
  const onAbort = () => stop("abort");
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const pieces: Buffer[] = [];
  let bytes = 0;
  const takeOutput = async (chunk: Buffer) => {
    if (options.onChunk) {
      if (!(await options.onChunk(chunk))) stop("enough");
      return;
    }
    bytes += chunk.length;
    if (bytes > options.maxBytes) stop("too-much");
    else pieces.push(chunk);
  };
  let stderr = "";
  const takeErrors = (chunk: Buffer) => {
    options.onStderr?.(chunk.toString());
    if (stderr.length < 4_096) stderr += chunk.toString();
  };
  const onFailure = (error: unknown) => {
    failure ??= error ?? new Error("failed");
    stop("enough");
  };
  const outputs = [
    new Output(child.stdout, takeOutput, onFailure),
    new Output(child.stderr, takeErrors, onFailure),
  ];
  try {
    const code = await Promise.race([exit, givenUp]);
    // The time limit and an abort still hold while the rest of the output is taken.
    group.kill();
    await Promise.race([Promise.all(outputs.map((output) => output.drained())), givenUp]);
    if (failure !== undefined) throw failure;
    return { code, stdout: Buffer.concat(pieces), stderr, stopped };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
    group.forget();
    for (const output of outputs) output.close();
    child.unref();
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  // Awaited later than it may fail.
  exit.catch(() => undefined);
  return exit;
}

/** Reads a stream to its end, one piece after the other. */
class Output {
  readonly #stream: Readable;
  readonly #read: Promise<void>;
  readonly #closed: Promise<void>;
  #busy = false;
  #seen = 0;

  constructor(
    stream: Readable,
    take: (chunk: Buffer) => Promise<void> | undefined | void,
    onError: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#closed = new Promise((resolve) => stream.once("close", resolve));
    this.#read = this.#all(take, onError);
  }

  /** Waits for the end of the output, at most until it has been silent for SILENT_MS. */
  async drained(): Promise<void> {
    const over = Promise.race([this.#read, this.#closed]).then(() => true);
    for (;;) {
      const before = this.#seen;
      const silent = new Promise<false>((resolve) => {
        // What arrived during a long turn of the event loop is read before the second callback.
        const timer = setTimeout(() => setImmediate(resolve, false), SILENT_MS);
        void over.then(() => clearTimeout(timer));
      });
      if (await Promise.race([over, silent])) return;
      if (!this.#busy && this.#seen === before) return this.close();
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  async #all(
    take: (chunk: Buffer) => Promise<void> | undefined | void,
    onError: (error: unknown) => void,
  ): Promise<void> {
    try {
      for await (const chunk of this.#stream) {
        this.#seen++;
        this.#busy = true;
        try {
          await take(chunk as Buffer);
        } catch (error) {
          onError(error);
          return;
        }
        this.#busy = false;
      }
    } catch {
      // Closed by us, or with the program.
    }
  }
}

/** A program and all that it starts, as far as that stays in its process group (setpgid(2)). */
class ProcessGroup {
  static readonly #living = new Set<ProcessGroup>();
  static readonly #endAll = () => {
    for (const group of ProcessGroup.#living) group.kill();
  };
  readonly #pid: number;
  #timers: NodeJS.Timeout[] = [];
  #ending = false;

  constructor(pid: number) {
    this.#pid = pid;
    // The groups are not the terminal's: a Ctrl-C reaches this process alone.
    if (ProcessGroup.#living.size === 0) process.on("exit", ProcessGroup.#endAll);
    ProcessGroup.#living.add(this);
  }

  /** SIGTERM, then SIGKILL. @param giveUp called when even that did not end it in time */
  end(giveUp: () => void): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#send("SIGTERM");
    // A stopped program takes no signal but SIGKILL until it goes on.
    this.#send("SIGCONT");
    this.#timers.push(
      setTimeout(() => this.kill(), TERM_MS),
      setTimeout(giveUp, TERM_MS + KILL_MS),
    );
  }

  kill(): void {
    this.#send("SIGKILL");
  }

  forget(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    ProcessGroup.#living.delete(this);
    if (ProcessGroup.#living.size === 0) process.off("exit", ProcessGroup.#endAll);
  }

  #send(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#pid, signal);
    } catch {
      // ESRCH: nobody of the group is left.
    }
  }
}
