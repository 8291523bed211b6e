import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/** Pause before another attempt to get a lock, milliseconds. */
const RETRY_MS = 50;

/**
 * Acquires a lock that only one process on this machine can hold: SQLite's lock on a file. The kernel releases it when its holder ends,
 * also by a kill. So there is no stale lock to detect, and nothing to race for: the file itself stays, and its presence means nothing.
 *
 * @param file created with mode 0600 if missing
 * @returns releases the lock; undefined if another process holds it
 */
export async function tryLock(file: string): Promise<(() => void) | undefined> {
  create(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
    return () => db.close();
  } catch (error) {
    db.close();
    if (/locked|busy/.test((error as Error).message)) return undefined;
    throw error;
  }
}

/**
 * Runs `work` while it holds the lock `file` (see `tryLock`).
 *
 * @param waitMs how long to wait for another holder, milliseconds
 * @throws if another process holds the lock for longer than that
 */
export async function withLock<T>(file: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const release = await tryLock(file);
    if (release)
      try {
        return await work();
      } finally {
        release();
      }
    if (Date.now() >= deadline)
      throw new Error(`Another process has held ${file} for ${waitMs / 1_000} s. Wait for it, or end it`);
    await sleep(RETRY_MS);
  }
}

/** Never opens a file that exists: closing any descriptor of it would release the lock that this process may hold (fcntl(2)). */
function create(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
