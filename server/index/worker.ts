import { type MessagePort, parentPort } from "node:worker_threads";
import { ToolError } from "../tool-error.ts";
import type { BuildOptions } from "./build.ts";
import type { JobContext } from "./job.ts";
import { JOBS } from "./jobs.ts";
import type { Order, Report } from "./protocol.ts";

/** Takes orders, one after the other, for as long as the thread lives: what a thread of the index starts from. */
function serve(port: MessagePort): void {
  const report = (message: Report) => port.postMessage(message);
  let last = Promise.resolve();
  port.on("message", (order: Order) => {
    last = last.then(() => run(order, report));
  });
}

async function run(order: Order, report: (message: Report) => void): Promise<void> {
  const { id, name, args, cancelled, until } = order;
  const context: JobContext = {
    timeUp() {
      if (Atomics.load(cancelled, 0) !== 0) throw new ToolError("The call was cancelled.");
      return Date.now() >= until;
    },
  };
  const onProgress: BuildOptions["onProgress"] = (done, total) => report({ id, progress: { done, total } });
  try {
    const job = JOBS[name] as (args: unknown, context: JobContext) => Promise<unknown>;
    report({
      id,
      value: await job(name === "buildIndex" ? { ...(args as object), onProgress } : args, context),
    });
  } catch (error) {
    report({ id, error: { message: (error as Error).message, mendable: error instanceof ToolError } });
  }
}

if (parentPort) serve(parentPort);
