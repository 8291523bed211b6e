import { Worker } from "node:worker_threads";
import { PATH } from "../config/path.ts";
import { ToolError } from "../tool-error.ts";
import type { JobArgs, JobName, JobResult } from "./jobs.ts";
import type { Order, Report } from "./protocol.ts";

/** How long a thread may take to notice that its caller has gone, before it is ended, milliseconds. */
const GRACE_MS = 500;
/** How long the end of the server waits for a thread that is in native code, milliseconds. */
const CLOSE_MS = 2_000;
/** Calls waiting for one thread. */
const MAX_WAITING = 64;

export interface JobOptions {
  signal?: AbortSignal;
  /** The job answers with what it has after so long; a moment later its thread is ended. Milliseconds; default: no limit. */
  timeoutMs?: number;
  onProgress?: (done: number, total: number) => void;
}

interface Pending {
  order: Omit<Order, "until">;
  options: JobOptions;
  resolve(value: unknown): void;
  reject(error: Error): void;
  done: boolean;
}

/** A thread that runs one job at a time, started when it is first needed, and started anew after one had to be ended. */
export class JobThread {
  readonly #heapMb: number;
  readonly #queue: Pending[] = [];
  #worker: Worker | undefined;
  #current: Pending | undefined;
  #timers: NodeJS.Timeout[] = [];
  #id = 0;
  #closed = false;

  /** @param heapMb largest JavaScript heap of the thread, MiB */
  constructor(heapMb: number) {
    this.#heapMb = heapMb;
  }

  run<N extends JobName>(name: N, args: JobArgs<N>, options: JobOptions = {}): Promise<JobResult<N>> {
    if (this.#closed)
      return Promise.reject(new ToolError("The server is going down; try again in a few seconds."));
    if (this.#queue.length >= MAX_WAITING)
      return Promise.reject(new ToolError("The server is busy; try again in a few seconds."));
    options.signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const pending: Pending = {
      order: { id: ++this.#id, name, args, cancelled },
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

  /** Ends the thread and whatever it does. */
  async close(): Promise<void> {
    this.#closed = true;
    const gone = new ToolError("The server is going down; try again in a few seconds.");
    for (const pending of this.#queue.splice(0)) settle(pending, gone);
    if (this.#current) settle(this.#current, gone);
    await within(this.#end(), CLOSE_MS);
  }

  /** Whether there is a thread, which then keeps what its jobs opened. */
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
      const late = new ToolError(`The call was ended after ${limit / 1_000} s; narrow it by path.`);
      this.#timers.push(setTimeout(() => this.#kill(pending, late), limit + GRACE_MS));
    }
    worker.postMessage({ ...pending.order, until } satisfies Order);
  }

  #abort(pending: Pending): void {
    const gone = new ToolError("The call was cancelled.");
    const waiting = this.#queue.indexOf(pending);
    if (waiting !== -1) {
      this.#queue.splice(waiting, 1);
      settle(pending, gone);
    } else if (this.#current === pending) {
      Atomics.store(pending.order.cancelled, 0, 1);
      settle(pending, gone);
      this.#timers.push(setTimeout(() => this.#kill(pending, gone), GRACE_MS));
    }
  }

  /** The thread is deep in native code and does not listen. */
  #kill(pending: Pending, error: Error): void {
    if (this.#current !== pending) return;
    settle(pending, error);
    // Native code ends when it likes; the next job has a thread of its own meanwhile.
    void this.#end();
    this.#finish();
  }

  #start(): Worker {
    const self = import.meta.url;
    const worker = new Worker(new URL(self.endsWith(".ts") ? "./worker.ts" : "./worker.mjs", self), {
      // node:sqlite is announced as experimental in Node 24; one line a thread would fill the log.
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: { PATH },
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb, maxYoungGenerationSizeMb: 16 },
    });
    worker.on("message", (report: Report) => {
      if (this.#worker === worker) this.#report(report);
    });
    const ended = (error: Error) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      if (this.#current) settle(this.#current, error);
      this.#finish();
    };
    worker.on("error", (error) => ended(error as Error));
    // Without an error before it: somebody called process.exit() in the thread.
    worker.on("exit", (code) => ended(new Error(`The thread of the index ended with exit code ${code}.`)));
    return worker;
  }

  #report(report: Report): void {
    const pending = this.#current;
    if (pending?.order.id !== report.id) return;
    if ("progress" in report) {
      pending.options.onProgress?.(report.progress.done, report.progress.total);
      return;
    }
    if ("value" in report) settle(pending, undefined, report.value);
    else
      settle(
        pending,
        report.error.mendable ? new ToolError(report.error.message) : new Error(report.error.message),
      );
    this.#finish();
  }

  #finish(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#current = undefined;
    this.#next();
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** Waits for a promise, at most so long. */
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
