import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Runs in the thread. Any connection may checkpoint what others wrote (sqlite.org/wal.html, section 2.2). */
const WORK = `
const { DatabaseSync } = require("node:sqlite");
const db = new DatabaseSync(require("node:worker_threads").workerData, { timeout: 1_000 });
db.exec("PRAGMA wal_checkpoint(PASSIVE)");
db.close();
`;

/**
 * Moves a database's write-ahead log into its file. Runs in a thread, because a checkpoint waits for the disk.
 *
 * @param file absolute path
 * @throws when the thread fails; nothing is lost then, and a later checkpoint does the work
 */
export async function checkpoint(file: string): Promise<void> {
  const thread = new Worker(WORK, {
    eval: true,
    workerData: file,
    env: {},
    execArgv: ["--disable-warning=ExperimentalWarning"],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  thread.unref();
  await once(thread, "exit");
}
