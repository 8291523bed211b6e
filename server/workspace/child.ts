import { spawn } from "node:child_process";
import { ToolError } from "../tool-error.ts";

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

export interface ChildOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Killed after this many milliseconds. */
  timeoutMs: number;
  /** Killed when more than this arrives on stdout without `onChunk`, bytes. Default 64 MiB. */
  maxBytes?: number;
  signal?: AbortSignal | undefined;
  /** Takes stdout piece by piece instead of collecting it; `false` means enough: the child is killed. */
  onChunk?: (chunk: Buffer) => boolean;
  /** Takes stderr piece by piece. */
  onStderr?: (text: string) => void;
}

export interface ChildResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
  /** Why we ended it, if we did. */
  stopped: "timeout" | "abort" | "enough" | "too-much" | undefined;
}

/** Nothing of the server's own environment (tokens file, socket names) reaches a child. */
const ENV: Record<string, string> = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  LC_ALL: "C.UTF-8",
  HOME: "/nonexistent",
};

/**
 * Runs a program with a fixed argv (never a shell), with a time limit, and kills it on abort.
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
    return await runNow(file, args, options);
  } finally {
    release();
  }
}

function runNow(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...ENV, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const pieces: Buffer[] = [];
    const limit = options.maxBytes ?? 64 * 1024 * 1024;
    let bytes = 0;
    let stderr = "";
    let stopped: ChildResult["stopped"];
    const stop = (why: NonNullable<ChildResult["stopped"]>) => {
      stopped ??= why;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => stop("timeout"), options.timeoutMs);
    const onAbort = () => stop("abort");
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const done = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };
    child.stdout.on("data", (chunk: Buffer) => {
      if (stopped) return;
      if (options.onChunk) {
        if (!options.onChunk(chunk)) stop("enough");
        return;
      }
      bytes += chunk.length;
      if (bytes > limit) stop("too-much");
      else pieces.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      options.onStderr?.(chunk.toString());
      if (stderr.length < 4_096) stderr += chunk.toString();
    });
    child.once("error", (error) => {
      done();
      reject(error);
    });
    child.once("close", (code) => {
      done();
      resolve({ code, stdout: Buffer.concat(pieces), stderr, stopped });
    });
  });
}
