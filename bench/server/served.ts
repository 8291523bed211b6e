import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { freePort } from "../../test/support/free-port.ts";
import type { Load, Loading, LoadResult, MeasuredLoad, PacedResult, Served } from "./load-types.ts";
import type { Memory } from "./memory.ts";
import type { Peer } from "./peers.ts";

/** Root's servers and load generators go before everything else on the machine. */
const FIRST = process.getuid?.() === 0 ? ["nice", "-n", "-20"] : [];
/** The server has the first core for itself, the load generator the second. */
const ONE_CORE = [...FIRST, "taskset", "-c", "0"];
const OTHER_CORE = [...FIRST, "taskset", "-c", "1"];
/** Seconds. V8 compiles the code of a call in steps, the last of which come after some 50,000 calls. */
const WARM_UP = 8;
const SECONDS = 6;

/** A folder for the time of the work. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * As on a machine: access tokens, limits by address and by token (which the load does not reach), quotas, shedding, the audit log,
 * metrics, and a log line for each request.
 */
const environment = (folder: string) => ({
  // As in the unit.
  MALLOC_ARENA_MAX: "2",
  AUTH_MODE: "oauth",
  PUBLIC_URL: "https://bench.example",
  LOG_LEVEL: "info",
  SESSIONS_DIR: join(folder, "sessions"),
  AUDIT_DIR: join(folder, "audit"),
  INDEX_DIR: join(folder, "index"),
  WORKSPACE_DIR: join(folder, "workspace"),
  RATE_LIMIT_ADDRESS: "1000000",
  RATE_LIMIT_TOKEN: "1000000",
  LISTENS_PER_TOKEN: "0",
  SESSIONS_PER_TOKEN: "0",
  LIVE_SESSIONS_PER_TOKEN: "0",
});

/** What NGINX adds to a request. */
const EDGE = {
  "x-forwarded-for": "203.0.113.7",
  "x-forwarded-host": "bench.example",
  "x-forwarded-proto": "https",
  "x-real-ip": "203.0.113.7",
  "x-request-id": "0123456789abcdef0123456789abcdef",
  "x-http-version": "HTTP/3.0",
};

/**
 * Starts a program of ours that tells its port when it listens. Its log goes to a pipe that is read.
 *
 * @param variables replace those of `environment`; undefined unsets
 */
export async function served(
  command: string[],
  folder: string,
  variables: Readonly<Record<string, string | undefined>> = {},
): Promise<Served> {
  await mkdir(join(folder, "workspace"), { recursive: true });
  // Not this process: where the reader runs on the server's core, each line stops the server for a moment.
  const [other = "", ...args] = OTHER_CORE;
  const reader = spawn(other, [...args, "cat"], { stdio: ["pipe", "ignore", "inherit"] });
  const child = spawn(ONE_CORE[0] as string, [...ONE_CORE.slice(1), ...command], {
    env: { ...process.env, ...environment(folder), ...variables },
    stdio: ["ignore", reader.stdin, "inherit", "ipc"],
  });
  reader.stdin.destroy();
  const { port, token } = await new Promise<{ port: number; token?: string }>((done, fail) => {
    child.once("message", (message) => done(message as { port: number; token?: string }));
    child.once("exit", (code) => fail(new Error(`${command[1]} ended with ${code} before it listened`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    pid: child.pid ?? 0,
    headers: token ? { ...EDGE, authorization: `Bearer ${token}` } : {},
    memory: async () => {
      child.send("memory");
      const [answer] = await once(child, "message");
      return answer as Memory;
    },
    stop: () => ended(child),
  };
}

/** Starts another server. Its log is discarded. */
export async function servedPeer(peer: Peer): Promise<Served> {
  const port = await freePort();
  const child = spawn(ONE_CORE[0] as string, [...ONE_CORE.slice(1), ...peer.command(port)], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const url = `http://127.0.0.1:${port}/mcp`;
  const until = Date.now() + 60_000;
  const answers = () =>
    fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      () => true,
      (error: Error) => error.name === "TimeoutError",
    );
  while (!(await answers())) {
    if (Date.now() > until || child.exitCode !== null)
      throw new Error(`${peer.name} did not start; run by hand: ${peer.command(port).join(" ")}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  const memory = () => Promise.reject(new Error("only of our own server"));
  return { url, pid: child.pid ?? 0, headers: {}, memory, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

/** @param warmUp seconds before the measurement */
export async function measured(target: Served, how: Loading, warmUp = WARM_UP): Promise<MeasuredLoad> {
  const load = await how(target);
  await sent({ ...load, seconds: warmUp });
  const before = await processorTime(target.pid);
  const result = await sent({ ...load, seconds: SECONDS });
  const used = (await processorTime(target.pid)) - before;
  return { ...result, processor: used / (result.rate * SECONDS) };
}

/** What all threads of a process have used, microseconds: `utime` and `stime` of proc_pid_stat(5), in its hundredths of a second. */
async function processorTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Sends the load from the other core. */
export async function sent(load: Omit<Load, "rate">): Promise<LoadResult> {
  return JSON.parse(await generated(load));
}

/** Sends the load from the other core at an even rate. */
export async function sentEvenly(load: Load & { rate: number }): Promise<PacedResult> {
  return JSON.parse(await generated(load));
}

async function generated(load: Load): Promise<string> {
  const [command = "", ...args] = [...OTHER_CORE, process.execPath, join(import.meta.dirname, "load.ts")];
  return (await run(command, args, { input: JSON.stringify(load) })).stdout;
}
