import { availableParallelism } from "node:os";
import { currentCaller, SERVER } from "../shares/caller.ts";
import { FairQueue } from "../shares/fair-queue.ts";

/** A program that uses every core takes a caller's whole share: one at a time, beside one of another caller. */
export const ALL_CORES = availableParallelism();

/**
 * Places for programs, counted in threads. A caller has as many as the machine has cores: more would not make him faster, and a second
 * caller still gets half of the machine whatever the first asks for.
 */
export const children = new FairQueue({
  what: "programs",
  capacity: Math.max(8, 4 * ALL_CORES),
  perCaller: Math.max(2, ALL_CORES),
  maxWaiting: 64,
});

/** The server's own (it lists files, asks for changes, fetches remotes) never wait for callers, who may be waiting for them. */
export const ownChildren = new FairQueue({ what: "programs", capacity: 4, perCaller: 4, maxWaiting: 256 });

/** The queue of the present caller. */
export function childQueue(): FairQueue {
  return currentCaller() === SERVER ? ownChildren : children;
}
