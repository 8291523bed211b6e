import { DatabaseSync } from "node:sqlite";

/**
 * Takes a lock that only one process on this machine can hold: SQLite's own on a file, which the kernel gives up when its holder is
 * killed.
 *
 * @returns gives the lock back; undefined when another process holds it
 */
export async function holdLock(file: string): Promise<(() => void) | undefined> {
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
