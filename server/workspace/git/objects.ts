import { ToolError } from "../../tool-error.ts";
import { childQueue } from "../children.ts";
import { GIT_ENV } from "./environment.ts";
import { ObjectReader } from "./object-reader.ts";
import { stateOf } from "./state.ts";
import { viewOf } from "./view.ts";

/** Largest number of processes that wait for requests, over all repositories. */
const MAX_IDLE = 8;
/** How long a process waits for a request, milliseconds. */
const IDLE_MS = 10_000;
/** Time limit of a request, milliseconds. */
const TIME_LIMIT_MS = 10_000;
/** Requests after which a process is replaced: git keeps the commits that it has read in memory. */
const MAX_REQUESTS = 1_000;

interface Idle {
  readonly reader: ObjectReader;
  readonly root: string;
  /** The process has read the configuration, the packs and the shallow boundary of this state. */
  readonly state: string;
  readonly requests: number;
  readonly timer: NodeJS.Timeout;
}

/** The one that was used last comes last. */
let idle: Idle[] = [];

/**
 * Works with the objects of a repository. A git process for it is kept for the next time, so most calls start none. Its work counts against
 * the caller's share, as each program does.
 *
 * @throws ToolError if git takes too long or fails; LimitReached; the signal's reason when it is aborted
 */
export async function withObjects<T>(
  root: string,
  signal: AbortSignal | undefined,
  work: (reader: Pick<ObjectReader, "read">) => Promise<T>,
): Promise<T> {
  const { refsKey } = await stateOf(root, signal);
  const release = await childQueue().enter({ signal, waitMs: TIME_LIMIT_MS });
  try {
    const { reader, requests } = (refsKey && takeIdle(root, refsKey)) || {
      reader: await start(root),
      requests: 0,
    };
    let why = "failed";
    const stop = (reason: string) => {
      why = reason;
      reader.end();
    };
    const onAbort = () => stop("was cancelled");
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(stop, TIME_LIMIT_MS, `took longer than ${TIME_LIMIT_MS / 1_000} s`);
    try {
      return await work(reader);
    } catch (error) {
      signal?.throwIfAborted();
      throw reader.ended ? new ToolError(`git cat-file ${why}`) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      if (!refsKey || requests + 1 >= MAX_REQUESTS) reader.end();
      else if (!reader.ended) keepIdle(reader, root, refsKey, requests + 1);
    }
  } finally {
    release();
  }
}

/** Ends the processes that wait for requests. */
export function endIdleReaders(): void {
  for (const one of idle) endIdle(one);
}

async function start(root: string): Promise<ObjectReader> {
  const { env } = await viewOf(root);
  return new ObjectReader(root, { ...GIT_ENV, ...env });
}

function takeIdle(root: string, state: string): Idle | undefined {
  for (const one of idle) if (one.root === root && (one.state !== state || one.reader.ended)) endIdle(one);
  const found = idle.findLast((one) => one.root === root);
  if (!found) return undefined;
  clearTimeout(found.timer);
  idle = idle.filter((one) => one !== found);
  return found;
}

function keepIdle(reader: ObjectReader, root: string, state: string, requests: number): void {
  const timer = setTimeout(() => endIdle(kept), IDLE_MS).unref();
  const kept: Idle = { reader, root, state, requests, timer };
  idle.push(kept);
  const oldest = idle[0];
  if (idle.length > MAX_IDLE && oldest) endIdle(oldest);
}

function endIdle(one: Idle): void {
  clearTimeout(one.timer);
  one.reader.end();
  idle = idle.filter((other) => other !== one);
}
