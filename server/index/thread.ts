import { Worker } from "node:worker_threads";
import { PATH } from "../config/path.ts";
import { ToolError } from "../tool-error.ts";
import type { JobArgs, JobName, JobResult } from "./jobs.ts";
import type { Request, Response } from "./protocol.ts";

/** Time for a thread to notice that a call was cancelled, before it is terminated, milliseconds. */
const GRACE_MS = 500;
/** Time for a new thread to load its modules, milliseconds: 0.5 s, or several on a busy machine. */
const START_MS = 60_000;
/** How long close() waits for a thread in native code, milliseconds. */
const CLOSE_MS = 2_000;
/** Largest number of jobs waiting for one thread. */
const MAX_WAITING = 64;
const CLOSED = "The server is shutting down. Try again in a few seconds.";

export interface JobOptions {
  signal?: AbortSignal | undefined;
  /** Time limit, milliseconds. After it the job returns what it has, and a moment later its thread is terminated. Default: none. */
  timeoutMs?: number;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

interface Pending {
  request: Omit<Request, "until">;
  options: JobOptions;
  resolve(value: unknown): void;
  reject(error: Error): void;
  done: boolean;
}

/** A thread that runs one job at a time. It is started when first needed, and again after it had to be terminated. */
export class JobThread {
  readonly #heapMb: number;
  readonly #queue: Pending[] = [];
  #worker: Worker | undefined;
  /** While the thread loads its modules. Ends a thread that never has them. */
  #starting: NodeJS.Timeout | undefined;
  #current: Pending | undefined;
  #timers: NodeJS.Timeout[] = [];
  #id = 0;
  #closed = false;

  /** @param heapMb largest JavaScript heap of the thread, MiB */
  constructor(heapMb: number) {
    this.#heapMb = heapMb;
  }

  run<N extends JobName>(name: N, args: JobArgs<N>, options: JobOptions = {}): Promise<JobResult<N>> {
    if (this.#closed) return Promise.reject(new ToolError(CLOSED));
    if (this.#queue.length >= MAX_WAITING)
      return Promise.reject(new ToolError("The server is busy. Try again in a few seconds."));
    options.signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const pending: Pending = {
      request: { id: ++this.#id, name, args, cancelled },
      options,
      resolve,
      reject,
      done: false,
    };
    const abort = () => this.#abort(pending);
    options.signal?.addEventListener("abort", abort, { once: true });
    this.#queue.push(pending);
    this.#next();
    return promise.finally(() => options.signal?.removeEventListener("abort", abort)) as Promise<
      JobResult<N>
    >;
  }

  /** Terminates the thread and its job. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = new ToolError(CLOSED);
    for (const pending of this.#queue.splice(0)) settle(pending, closed);
    if (this.#current) settle(this.#current, closed);
    await within(this.#end(), CLOSE_MS);
  }

  /** Whether the thread is running, and so holds what its jobs opened. */
  get started(): boolean {
    return this.#worker !== undefined;
  }

  #next(): void {
    if (this.#current || this.#closed) return;
    const pending = this.#queue.shift();
    if (!pending) {
      this.#worker?.unref();
      return;
    }
    this.#current = pending;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    worker.ref();
    const limit = pending.options.timeoutMs;
    const until = limit === undefined ? Number.POSITIVE_INFINITY : Date.now() + limit;
    if (limit !== undefined) {
      const late = new ToolError(
        `The call was stopped after ${(limit / 1_000).toFixed(1)} s. Narrow it by path.`,
      );
      this.#timers.push(setTimeout(() => this.#kill(pending, late), limit + GRACE_MS));
    }
    worker.postMessage({ ...pending.request, until } satisfies Request);
  }

  #abort(pending: Pending): void {
    const cancelled = new ToolError("The call was cancelled.");
    const waiting = this.#queue.indexOf(pending);
    if (waiting !== -1) {
      this.#queue.splice(waiting, 1);
      settle(pending, cancelled);
    } else if (this.#current === pending) {
      Atomics.store(pending.request.cancelled, 0, 1);
      settle(pending, cancelled);
      this.#timers.push(setTimeout(() => this.#kill(pending, cancelled), GRACE_MS));
    }
  }

  /** For a thread that is in native code and does not respond. */
  #kill(pending: Pending, error: Error): void {
    if (this.#current !== pending) return;
    settle(pending, error);
    // A thread that starts more slowly than the limit of its jobs would never start, if each of them ended it.
    if (this.#starting) Atomics.store(pending.request.cancelled, 0, 1);
    // terminate() waits for native code. The next job gets a new thread meanwhile.
    else void this.#end();
    this.#finish();
  }

  #start(): Worker {
    const self = import.meta.url;
    const worker = new Worker(new URL(self.endsWith(".ts") ? "./worker.ts" : "./worker.mjs", self), {
      // Node 24 warns that node:sqlite is experimental, once per thread.
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: { PATH },
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: 16 },
    });
    this.#starting = setTimeout(() => {
      void this.#end();
      if (this.#current)
        settle(this.#current, new Error("The thread of the index did not start within a minute."));
      this.#finish();
    }, START_MS).unref();
    worker.on("message", (response: Response) => {
      if (this.#worker === worker) this.#receive(response);
    });
    const ended = (error: Error) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#started();
      if (this.#current) settle(this.#current, error);
      this.#finish();
    };
    worker.on("error", (error) => ended(error as Error));
    // Without an error before: process.exit() was called in the thread.
    worker.on("exit", (code) => ended(new Error(`The thread of the index ended with exit code ${code}.`)));
    return worker;
  }

  #receive(response: Response): void {
    if ("ready" in response) {
      this.#started();
      return;
    }
    const pending = this.#current;
    if (pending?.request.id !== response.id) return;
    if ("progress" in response) {
      pending.options.onProgress?.(response.progress.done, response.progress.total);
      return;
    }
    if ("value" in response) settle(pending, undefined, response.value);
    else
      settle(
        pending,
        response.error.isToolError
          ? new ToolError(response.error.message)
          : new Error(response.error.message),
      );
    this.#finish();
  }

  #started(): void {
    clearTimeout(this.#starting);
    this.#starting = undefined;
  }

  #finish(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#current = undefined;
    this.#next();
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#started();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** Waits for a promise, at most `ms` milliseconds. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

function settle(pending: Pending, error: Error | undefined, value?: unknown): void {
  if (pending.done) return;
  pending.done = true;
  if (error) pending.reject(error);
  else pending.resolve(value);
}
