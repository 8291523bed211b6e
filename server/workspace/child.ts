import { ToolError } from "../tool-error.ts";
import { type ProcessOptions, type ProcessResult, runProcess } from "./process.ts";

/** Children at work at the same time: searches are bound by the disk and two cores, not by their number. */
const MAX_CHILDREN = 8;
const MAX_WAITING = 256;

let running = 0;
const waiting: (() => void)[] = [];

/** Waits for one of the places; a place that gets free goes straight to the next in the queue. */
async function slot(): Promise<() => void> {
  if (running < MAX_CHILDREN) running++;
  else if (waiting.length >= MAX_WAITING)
    throw new ToolError("The server is busy; try again in a few seconds.");
  else await new Promise<void>((go) => waiting.push(go));
  return () => {
    const next = waiting.shift();
    if (next) next();
    else running--;
  };
}

/** How a child is run; see ProcessOptions. */
export interface ChildOptions extends Omit<ProcessOptions, "env" | "maxBytes"> {
  env?: Record<string, string>;
  /** Default 64 MiB. */
  maxBytes?: number;
}

export type ChildResult = ProcessResult;

/** Nothing of the server's own environment (tokens file, socket names) reaches a child. */
const ENV: Record<string, string> = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  LC_ALL: "C.UTF-8",
  HOME: "/nonexistent",
};

/**
 * Runs a program with a fixed argv (never a shell), with a time limit, and ends it on abort.
 *
 * @throws when the program cannot be started, or when the signal was aborted before it was
 */
export async function runChild(
  file: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  const release = await slot();
  try {
    options.signal?.throwIfAborted();
    return await runProcess(file, args, {
      maxBytes: 64 * 1024 * 1024,
      ...options,
      env: { ...ENV, ...options.env },
    });
  } finally {
    release();
  }
}
