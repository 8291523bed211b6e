import { open, readFile, rm } from "node:fs/promises";
import { sleep } from "../exec.ts";

/** Whether a process with this id exists. EPERM means that another account's process has it. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Runs `work` while holding a lock file with this process's id. A lock whose owner no longer runs is taken over,
 * so a killed run does not block the next one.
 * @param wait milliseconds to wait for another live holder; default 15 minutes.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, wait = 900_000): Promise<T> {
  const end = Date.now() + wait;
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(await readFile(file, "utf8").catch(() => "0"));
      if (owner > 0 && !alive(owner)) {
        await rm(file, { force: true });
        continue;
      }
      if (Date.now() > end) throw new Error(`${file} is held by process ${owner}. Wait for it, or end it.`);
      await sleep(250);
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}
