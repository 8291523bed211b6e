import { existsSync, mkdtempSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll, run } from "../../infra/exec.ts";
import { tryLock } from "../../infra/local/lock.ts";
import { cache, projectRoot } from "../../infra/paths.ts";

/**
 * A run of the tests has a folder, for what outlives a process: checkouts with the homes of their stacks, accounts of the double of
 * AWS. The environment of all its processes names the folder. A run that was interrupted leaves guests, bridges and mounts. What is in
 * its folder says which, so that the run itself, or the next one, removes them.
 */
const FOLDER = "MCP_EDGE_TEST_RUN";
const PREFIX = "mcp-edge-run-";

export interface TestRun {
  /** Ends and removes what the run has left. Its workers have ended. */
  end(): Promise<void>;
}

/** The lock of this process's run. A lock that nothing refers to is released. */
let releaseRun: (() => void) | undefined;

/** Begins a run. Its lock lasts as long as this process. */
export function beginTestRun(): TestRun {
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  releaseRun = tryLock(lockOf(folder));
  process.env[FOLDER] = folder;
  return { end: () => removeRun(folder).finally(() => releaseRun?.()) };
}

/** A new folder of this run; without a run, one that only its user removes. */
export const folderOfRun = (name: string): Promise<string> =>
  mkdtemp(join(process.env[FOLDER] ?? tmpdir(), `${name}-`));

/** Where Node keeps compiled code for the processes of this run; undefined without a run. */
export const compiledCode = (): string | undefined =>
  process.env[FOLDER] && join(process.env[FOLDER], "compiled");

/**
 * Removes what runs have left whose process has ended.
 * @param runs where their folders are
 * @param onRun called before something is removed
 */
export async function removeInterruptedRuns(
  runs = tmpdir(),
  onRun: (folder: string) => void = () => {},
): Promise<void> {
  for (const name of await readdir(runs)) {
    const folder = join(runs, name.replace(/\.lock$/, ""));
    if (!name.startsWith(PREFIX) || !name.endsWith(".lock")) continue;
    const release = tryLock(lockOf(folder));
    if (!release) continue;
    onRun(folder);
    await removeRun(folder).finally(release);
  }
}

const lockOf = (folder: string) => `${folder}.lock`;

/** @throws Error when something could not be removed. The folder stays then. */
async function removeRun(folder: string): Promise<void> {
  await endProcesses(folder);
  const entries = existsSync(folder) ? await readdir(folder) : [];
  for (const entry of entries.map((name) => join(folder, name))) {
    if (existsSync(join(entry, "cloud.json")))
      await node(["test/aws-double/cloud.ts", "stop"], { AWS_DOUBLE_HOME: entry });
    for (const home of [entry, join(entry, ".mcp-edge"), join(entry, "host")])
      for (const stack of await readdir(join(home, "stacks")).catch(() => []))
        await node(["cli/main.ts", "down", "--stack", stack], { MCP_EDGE_HOME: home });
  }
  await rm(folder, { recursive: true, force: true });
  await rm(lockOf(folder), { force: true });
}

const node = (args: string[], env: Record<string, string>) =>
  run(join(projectRoot, "node_modules/.bin/node"), args, {
    cwd: projectRoot,
    env: { ...env, MCP_EDGE_CACHE: cache, NODE_OPTIONS: "", [FOLDER]: "" },
    timeout: 300_000,
  });

/** Ends commands of a run that its workers did not wait for. */
async function endProcesses(folder: string): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of await processesOf(folder)) kill(pid, signal);
    if (await poll(5_000, async () => ((await processesOf(folder)).length === 0 ? true : undefined), 50))
      return;
  }
}

/** The processes of a run, without guests and other daemons: those are in sessions of their own, and are stopped by what started them. */
async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const ofRun = async (pid: string) =>
    (await readFile(`/proc/${pid}/environ`, "utf8").catch(() => ""))
      .split("\0")
      .includes(`${FOLDER}=${folder}`);
  const found: number[] = [];
  for (const pid of pids) {
    if (!(await ofRun(pid))) continue;
    const session = sessionOf(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
    if (session && !(await ofRun(session))) found.push(Number(pid));
  }
  return found;
}

/** Field 6 of /proc/PID/stat; undefined for a process that has ended (proc(5)). */
function sessionOf(stat: string): string | undefined {
  const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? undefined : session;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
