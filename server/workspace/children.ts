import { availableParallelism } from "node:os";
import { currentCaller, SERVER } from "../shares/caller.ts";
import { FairQueue } from "../shares/fair-queue.ts";

/** Weight of a program that uses all cores: it takes the whole share of a caller. */
export const ALL_CORES = availableParallelism();

/**
 * Places for programs, counted in threads. A caller has as many as the machine has cores: more would not be faster, and a second caller
 * still gets half of the machine.
 */
export const children = new FairQueue({
  what: "programs",
  capacity: Math.max(8, 4 * ALL_CORES),
  perCaller: Math.max(2, ALL_CORES),
  maxWaiting: 64,
});

/** The server's own programs, which list files, check for changes and fetch remotes. They never wait for those of callers. */
const ownChildren = new FairQueue({ what: "programs", capacity: 4, perCaller: 4, maxWaiting: 256 });

/** The queue of the current caller. */
export function childQueue(): FairQueue {
  return currentCaller() === SERVER ? ownChildren : children;
}
