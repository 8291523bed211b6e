import { currentCaller } from "../shares/caller.ts";
import { type ByteCache, repositoryCache, sizeInMemory } from "./byte-cache.ts";

interface InProgress {
  readonly result: Promise<unknown>;
  readonly ending: AbortController;
  /** How many calls wait for the result. */
  calls: number;
}

const inProgress = new Map<string, InProgress>();

/**
 * A result that is the same each time for its key. It is computed once and kept in memory. Calls of one caller that need it at the same time
 * share the computation. Those of another caller do not: they would wait for that caller's turn. The computation ends when no call needs it
 * any more.
 *
 * @param key names what the result depends on; undefined: nothing is kept or shared
 * @param compute its result is cloned (structuredClone) and must not be modified
 */
export async function keptResult<T>(
  key: string | undefined,
  signal: AbortSignal | undefined,
  compute: (signal: AbortSignal | undefined) => Promise<T>,
  cache: ByteCache = repositoryCache,
): Promise<T> {
  if (key === undefined) return compute(signal);
  const kept = cache.get<{ value: T }>(key);
  if (kept) return kept.value;
  signal?.throwIfAborted();
  const shared = `${currentCaller()}\0${key}`;
  let computation = inProgress.get(shared);
  if (!computation) {
    const ending = new AbortController();
    const result = compute(ending.signal).then((value) => {
      // A copy: a piece of a text keeps the whole text in memory.
      const copy = structuredClone(value);
      cache.set(key, { value: copy }, 2 * key.length + sizeInMemory(copy));
      return copy;
    });
    const started = { result, ending, calls: 0 };
    const forget = () => {
      if (inProgress.get(shared) === started) inProgress.delete(shared);
    };
    result.then(forget, forget);
    inProgress.set(shared, started);
    computation = started;
  }
  return waitFor(shared, computation, signal) as Promise<T>;
}

async function waitFor(
  shared: string,
  computation: InProgress,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  computation.calls++;
  try {
    return await Promise.race([computation.result, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    computation.calls--;
    if (computation.calls === 0) {
      // A new call must not join a computation that is being ended.
      if (inProgress.get(shared) === computation) inProgress.delete(shared);
      computation.ending.abort();
    }
  }
}
