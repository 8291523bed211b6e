import { readdir, readFile } from "node:fs/promises";
import { poll } from "../../infra/exec.ts";
import { home } from "../../infra/paths.ts";

/** Marks the engine and its plugins of one stack's run, so that a later run can tell them from others'. */
export const RUN_MARK = "MCP_EDGE_RUN";
export const runMark = (stack: string) => `${home}#${stack}`;

async function processesOf(stack: string): Promise<number[]> {
  const mark = `${RUN_MARK}=${runMark(stack)}`;
  const found: number[] = [];
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    if (Number(pid) === process.pid || !(await read("environ")).split("\0").includes(mark)) continue;
    // The machine and its authority carry the mark too: they are meant to live on.
    const [program = "", script = ""] = (await read("cmdline")).split("\0");
    if (/(^|\/)pulumi(-[a-z-]+)?$/.test(program) || script.includes("dynamic-provider"))
      found.push(Number(pid));
  }
  return found;
}

/**
 * A run that was killed leaves its engine behind, which still ends its step. Wait for it, at most `limit` ms, then end it:
 * two engines on one machine would undo each other's work.
 */
export async function awaitLeftovers(stack: string, limit = 10_000): Promise<void> {
  const gone = async () => ((await processesOf(stack)).length === 0 ? true : undefined);
  if (await poll(limit, gone)) return;
  for (const pid of await processesOf(stack)) process.kill(pid, "SIGKILL");
  await poll(2_000, gone);
}
