import { PATH } from "../config/path.ts";
import { childQueue } from "./children.ts";
import { type ProcessOptions, type ProcessResult, runProcess } from "./process.ts";

/** How a child is run; see ProcessOptions. */
export interface ChildOptions extends Omit<ProcessOptions, "env" | "maxBytes"> {
  env?: Record<string, string>;
  /** Default 64 MiB. */
  maxBytes?: number;
  /** Threads that it keeps busy, see children.ts. Default 1. */
  threads?: number;
}

export type ChildResult = ProcessResult;

/** Nothing of the server's own environment (tokens file, socket names) reaches a child. */
const ENV: Record<string, string> = {
  PATH,
  LC_ALL: "C.UTF-8",
  HOME: "/nonexistent",
};

/**
 * Runs a program with a fixed argv (never a shell), with a time limit, and ends it on abort. It may have to wait for a place; its time
 * limit counts from now.
 *
 * @throws LimitReached when it cannot have a place in time; when the program cannot be started, or when the signal was aborted before it was
 */
export async function runChild(
  file: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  const { threads, ...rest } = options;
  const until = performance.now() + rest.timeoutMs;
  const release = await childQueue().enter({
    weight: threads,
    signal: rest.signal,
    waitMs: rest.timeoutMs,
  });
  try {
    rest.signal?.throwIfAborted();
    return await runProcess(file, args, {
      maxBytes: 64 * 1024 * 1024,
      ...rest,
      timeoutMs: Math.max(1, until - performance.now()),
      env: { ...ENV, ...options.env },
    });
  } finally {
    release();
  }
}
