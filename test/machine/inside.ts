import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunResult, run } from "../../infra/exec.ts";
import { type Guest, nsenterArguments } from "../../infra/local/guest.ts";
import { projectRoot } from "../../infra/paths.ts";

const EVERY_CODE = Array.from({ length: 256 }, (_, code) => code);

interface Init {
  pid: number;
  started: string;
}
const known = new Map<string, Init>();

/**
 * Runs a command in a guest as root, as `mcp-edge shell` does. The tests do it so often that the start of the command line would be a
 * good part of their time.
 *
 * @param env names the folders of the stacks (MCP_EDGE_HOME)
 * @returns exit code 1 also if the guest does not run
 */
export async function runInside(
  env: Record<string, string | undefined>,
  guest: Guest,
  command: string[],
): Promise<RunResult> {
  const key = `${env.MCP_EDGE_HOME} ${guest.stack}`;
  const before = known.get(key);
  const init = before && (await startOf(before.pid)) === before.started ? before : await findInit(env, guest);
  if (!init) return { code: 1, stdout: "", stderr: `Machine ${guest.stack} does not run.` };
  known.set(key, init);
  const options = { timeout: 300_000, accept: EVERY_CODE };
  return run("nsenter", nsenterArguments(init.pid, command), options);
}

async function findInit(env: Record<string, string | undefined>, guest: Guest): Promise<Init | undefined> {
  const node = join(projectRoot, "node_modules/.bin/node");
  const script = join(import.meta.dirname, "leader.ts");
  const pid = Number((await run(node, [script, JSON.stringify(guest)], { env })).stdout);
  const started = await startOf(pid);
  return pid && started ? { pid, started } : undefined;
}

/** Field 22 of /proc/PID/stat, since a process id is used again (proc(5)). */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
