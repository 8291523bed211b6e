import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 10;

/**
 * Runs synchronous work on a SQLite file and retries it while another process writes. The connection's `timeout` must be 0: SQLite's own
 * wait would block the event loop.
 *
 * @param limitMs time after which the last error is thrown
 * @throws what the work throws
 */
export async function retryWhileBusy<T>(work: () => T, limitMs: number): Promise<T> {
  for (const until = performance.now() + limitMs; ; ) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** SQLITE_BUSY or SQLITE_LOCKED (sqlite.org/rescode.html). */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && [5, 6].includes(code & 0xff);
}
