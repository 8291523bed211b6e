import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { sleep } from "../exec.ts";

/** Pause before another attempt to get a lock, milliseconds. */
const RETRY_MS = 250;

/**
 * Runs `work` while holding SQLite's lock on `file`. The kernel releases the lock when its holder ends, also by a kill: there is no stale
 * lock that two processes could take over at the same time. The file stays, and its presence means nothing.
 *
 * @param wait milliseconds to wait for another holder; default 15 minutes
 * @throws Error that names the file, when another process holds the lock for longer
 */
export async function withLock<T>(file: string, work: () => Promise<T>, wait = 900_000): Promise<T> {
  const end = Date.now() + wait;
  for (;;) {
    const release = tryLock(file);
    if (release)
      try {
        return await work();
      } finally {
        release();
      }
    if (Date.now() > end)
      throw new Error(
        `Another process has held ${file} for ${wait / 1_000} s. Wait for it, or see which one it is: fuser -v ${file}`,
      );
    await sleep(RETRY_MS);
  }
}

/** @returns releases the lock; undefined if another process, or another caller in this one, holds it */
export function tryLock(file: string): (() => void) | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return () => database.close();
  } catch (error) {
    database.close();
    const { message } = error as Error;
    if (/locked|busy/.test(message)) return undefined;
    // An earlier release wrote a process id into the file, and left it when it was killed.
    if (!/not a database/.test(message)) throw error;
    rmSync(file, { force: true });
    return undefined;
  }
}
