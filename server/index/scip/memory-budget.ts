import process from "node:process";

const MIB = 1024 * 1024;
/** Share of the memory limit of the server that the compiler may have. */
const SHARE = 0.4;
/** Memory that stays free for the server itself, bytes. */
const RESERVE = 64 * MIB;
const MOST_MB = 4_096;

/**
 * The JavaScript heap that a process beside the server may have, MiB: 40 % of the memory limit (cgroup, else the machine), and no more
 * than what is free.
 */
export function memoryBudget(
  limit = process.constrainedMemory() || Number.POSITIVE_INFINITY,
  free = process.availableMemory(),
): number {
  const bytes = Math.min(limit * SHARE, free - RESERVE);
  return Math.max(0, Math.min(MOST_MB, Math.floor(bytes / MIB)));
}
