import { PATH } from "../config/path.ts";
import { childQueue } from "./children.ts";
import { type ProcessOptions, type ProcessResult, runProcess } from "./process.ts";

/** See ProcessOptions. */
export interface ChildOptions extends Omit<ProcessOptions, "env" | "maxBytes"> {
  env?: Record<string, string>;
  /** Default 64 MiB. */
  maxBytes?: number;
  /** Number of threads that it uses, see children.ts. Default: 1. */
  threads?: number;
}

export type ChildResult = ProcessResult;

/** A child gets nothing of the server's own environment (tokens file, socket names). */
export const CHILD_ENV: Readonly<Record<string, string>> = {
  PATH,
  LC_ALL: "C.UTF-8",
  HOME: "/nonexistent",
};

/**
 * Runs a program with a fixed argv (never a shell) and a time limit, and ends it on abort. The time limit includes the wait for a place
 * in the queue.
 *
 * @throws LimitReached if there is no place in time; if the program cannot be started; if the signal is aborted before that
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
      env: { ...CHILD_ENV, ...options.env },
    });
  } finally {
    release();
  }
}
