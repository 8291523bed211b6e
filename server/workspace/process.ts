import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** Time between SIGTERM and SIGKILL, milliseconds. On SIGTERM git removes its lock files. */
const TERM_MS = 1_000;
/** Time between SIGKILL and giving up, milliseconds. A process that hangs in the kernel (a dead network file system) never ends. */
const KILL_MS = 1_000;
/** How long the output of an ended program may stay open and silent, milliseconds. Another process holds it then. */
const SILENT_MS = 500;

/** The end of stderr that is kept, characters. */
const MAX_STDERR = 4_096;

export interface ProcessOptions {
  cwd: string;
  env: Record<string, string>;
  /** Time limit, milliseconds. */
  timeoutMs: number;
  /** Largest output without `onChunk`, bytes. The program is ended if it writes more. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** What the program reads from stdin. Default: nothing. */
  input?: string | undefined;
  /**
   * Receives stdout piece by piece instead of collecting it. `false` ends the program. Nothing more is read while a promise is
   * pending, so the program waits too. The run ends after the last piece. An error ends the program and is the error of the run.
   */
  onChunk?: ((chunk: Buffer) => boolean | Promise<boolean>) | undefined;
  /** Receives stderr piece by piece. */
  onStderr?: ((text: string) => void) | undefined;
}

export interface ProcessResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
  /** Why the program was ended, if it was. */
  stopped: "timeout" | "abort" | "enough" | "too-much" | undefined;
}

/**
 * Runs a program in a process group of its own. The run ends with the program: the processes that it started are ended too, and one
 * that still holds its output cannot delay the result.
 *
 * @throws if the program cannot be started, or the error of `onChunk` or `onStderr`
 */
export async function runProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    detached: true,
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  // A program that ends before it has read everything closes the pipe (EPIPE).
  child.stdin?.on("error", () => undefined).end(options.input);
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
    // A program that continues to write gets SIGPIPE too.
    stdout.close();
    group.end(giveUp);
  };
  const timer = setTimeout(() => stop("timeout"), options.timeoutMs);
  const onAbort = () => stop("abort");
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const pieces: Buffer[] = [];
  let bytes = 0;
  const onStdout = async (chunk: Buffer) => {
    if (options.onChunk) {
      if (!(await options.onChunk(chunk))) stop("enough");
      return;
    }
    bytes += chunk.length;
    if (bytes > options.maxBytes) stop("too-much");
    else pieces.push(chunk);
  };
  let stderr = "";
  const onStderr = (chunk: Buffer) => {
    options.onStderr?.(chunk.toString());
    stderr = (stderr + chunk.toString()).slice(-MAX_STDERR);
  };
  const onFailure = (error: unknown) => {
    failure ??= error ?? new Error("failed");
    stop("enough");
  };
  const stdout = new Output(child.stdout, onStdout, onFailure);
  const outputs = [stdout, new Output(child.stderr, onStderr, onFailure)];
  try {
    const code = await Promise.race([exit, givenUp]);
    // The time limit and an abort still apply while the rest of the output is read.
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
  // It may fail before it is awaited.
  exit.catch(() => undefined);
  return exit;
}

/** Reads a stream to its end, one piece after the other. */
class Output {
  readonly #stream: Readable;
  readonly #read: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  #busy = false;
  #seen = 0;

  constructor(
    stream: Readable,
    onChunk: (chunk: Buffer) => Promise<void> | undefined | void,
    onError: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#read = this.#all(onChunk, onError);
  }

  /** Waits until the last piece was handled, or until the stream was silent for SILENT_MS, or until `close()`. */
  async drained(): Promise<void> {
    const over = Promise.race([this.#read, this.#closed.promise]).then(() => true);
    for (;;) {
      const before = this.#seen;
      const silent = new Promise<false>((resolve) => {
        // Output that arrived during a long turn of the event loop is read before the second callback.
        const timer = setTimeout(() => setImmediate(resolve, false), SILENT_MS);
        void over.then(() => clearTimeout(timer));
      });
      if (await Promise.race([over, silent])) return;
      if (!this.#busy && this.#seen === before) return this.close();
    }
  }

  /** Stops reading, without waiting for a piece that is being handled. */
  close(): void {
    this.#stream.destroy();
    this.#closed.resolve();
  }

  async #all(
    onChunk: (chunk: Buffer) => Promise<void> | undefined | void,
    onError: (error: unknown) => void,
  ): Promise<void> {
    try {
      for await (const chunk of this.#stream) {
        this.#seen++;
        this.#busy = true;
        try {
          await onChunk(chunk as Buffer);
        } catch (error) {
          onError(error);
          return;
        }
        this.#busy = false;
      }
    } catch {
      // The stream was closed, by close() or with the program.
    }
  }
}

/** A program and the processes that it starts, as long as they stay in its process group (setpgid(2)). */
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
    // They are not in the group of the terminal: a Ctrl-C reaches this process only.
    if (ProcessGroup.#living.size === 0) process.on("exit", ProcessGroup.#endAll);
    ProcessGroup.#living.add(this);
  }

  /** Sends SIGTERM, then SIGKILL. @param giveUp called if even that does not end it in time */
  end(giveUp: () => void): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#send("SIGTERM");
    // A stopped program handles no signal but SIGKILL until it continues.
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
      // ESRCH: the group is empty.
    }
  }
}
