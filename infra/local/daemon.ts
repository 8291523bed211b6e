import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { poll } from "../exec.ts";

/**
 * A background process that outlives the program: its own session, its output in a file, its identity (process id and start
 * time, so that a reused id is not mistaken for it) in a PID file.
 */
export interface Daemon {
  pidFile: string;
  logFile: string;
}

interface Identity {
  pid: number;
  started: string;
}

/** Field 22 of /proc/PID/stat: when the process started, in clock ticks after boot (proc(5)). */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The process id if the daemon runs. */
export async function runningPid(daemon: Daemon): Promise<number | undefined> {
  const text = await readFile(daemon.pidFile, "utf8").catch(() => "");
  if (!text) return undefined;
  const { pid, started } = JSON.parse(text) as Identity;
  return startTime(pid) === started ? pid : undefined;
}

export async function startDaemon(
  daemon: Daemon,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<number> {
  const log = openSync(daemon.logFile, "a");
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  const pid = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("spawn", () => done(child.pid as number));
  });
  child.unref();
  await writeFile(daemon.pidFile, JSON.stringify({ pid, started: startTime(pid) ?? "" }));
  return pid;
}

/**
 * Sends SIGTERM, and SIGKILL after `grace` ms. Does nothing if the process does not run.
 * @returns false if SIGKILL was necessary
 */
export async function stopDaemon(daemon: Daemon, grace = 5_000): Promise<boolean> {
  const pid = await runningPid(daemon);
  let clean = true;
  if (pid !== undefined) {
    const started = startTime(pid);
    const gone = async () => (startTime(pid) === started ? undefined : true);
    process.kill(pid, "SIGTERM");
    clean = (await poll(grace, gone, 50)) === true;
    if (!clean) {
      process.kill(pid, "SIGKILL");
      await poll(2_000, gone, 50);
    }
  }
  await rm(daemon.pidFile, { force: true });
  return clean;
}

/** The last lines of a log that do not match `without`, for an error message. */
export async function tail(file: string, count = 20, without?: RegExp): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text
    .trimEnd()
    .split("\n")
    .filter((line) => !without?.test(line));
  return lines.slice(-count).join("\n  ");
}
