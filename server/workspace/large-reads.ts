import type { FileHandle } from "node:fs/promises";
import { FairQueue } from "../shares/fair-queue.ts";

/** Smaller files are read without a place in the queue, bytes. */
const LARGE_BYTES = 1024 * 1024;
/** Longest wait for a place, milliseconds. */
const WAIT_MS = 10_000;

/** A file of 16 MiB takes several times its size while it is split into lines: a few calls at once would fill the memory. */
export const largeReads = new FairQueue({
  what: "large files",
  capacity: 2,
  perCaller: 1,
  maxWaiting: 64,
});

/**
 * Reads an open file whole.
 *
 * @param size its size, bytes @throws LimitReached if too many large files are being read
 */
export async function readWhole(handle: FileHandle, size: number, signal: AbortSignal): Promise<Buffer> {
  if (size <= LARGE_BYTES) return handle.readFile({ signal });
  const release = await largeReads.enter({ signal, waitMs: WAIT_MS });
  try {
    return await handle.readFile({ signal });
  } finally {
    release();
  }
}
