import { type MessagePort, parentPort } from "node:worker_threads";
import { ToolError } from "../tool-error.ts";
import type { JobContext } from "./job.ts";
import { JOBS } from "./jobs.ts";
import type { Request, Response } from "./protocol.ts";

/** Interval of the progress reports of a job, milliseconds. */
const PROGRESS_MS = 100;

/** Entry point of a thread: runs the requested jobs, one after the other. */
function serve(port: MessagePort): void {
  const respond = (response: Response) => port.postMessage(response);
  let last = Promise.resolve();
  port.on("message", (request: Request) => {
    last = last.then(() => run(request, respond));
  });
  respond({ ready: true });
}

async function run(request: Request, respond: (response: Response) => void): Promise<void> {
  const { id, name, args, cancelled, until } = request;
  let reported = Number.NEGATIVE_INFINITY;
  const context: JobContext = {
    timeUp() {
      if (Atomics.load(cancelled, 0) !== 0) throw new ToolError("The call was cancelled.");
      return Date.now() >= until;
    },
    progress(done, total) {
      const now = performance.now();
      if (now - reported < PROGRESS_MS) return;
      reported = now;
      respond({ id, progress: { done, total } });
    },
  };
  try {
    // The caller may have gone while the thread was loading its modules.
    context.timeUp();
    const job = JOBS[name] as (args: unknown, context: JobContext) => Promise<unknown>;
    respond({ id, value: await job(args, context) });
  } catch (error) {
    respond({ id, error: { message: (error as Error).message, isToolError: error instanceof ToolError } });
  }
}

if (parentPort) serve(parentPort);
