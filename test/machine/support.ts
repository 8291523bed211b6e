import { type ChildProcess, spawn } from "node:child_process";
import { cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { type RunResult, run } from "../../infra/exec.ts";
import { guestOf } from "../../infra/local/guest.ts";
import { networkOf } from "../../infra/local/network.ts";
import { cache, projectRoot } from "../../infra/paths.ts";
import { compiledCode, folderOfRun } from "../support/test-run.ts";
import { runInside } from "./inside.ts";

/** What `up --json` prints. */
export interface UpOutput {
  deployed: {
    stack: string;
    url: string;
    ipv4: string;
    ipv6: string;
    release: string;
    networkIndex: number;
    rootsFile: string;
  };
  changes: Record<string, number>;
  token?: { id: string; token: string };
  enrolment?: { login: string; link: string };
  doctor?: { ok: boolean; checks: { id: string; ok: boolean; got: string }[] };
}

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
  /** Milliseconds. */
  took: number;
}

/**
 * A checkout of this tree in its own folder, as a git repository with one commit. The tests change its code and
 * its templates, run its CLI, and never touch the tree they run in. The cache is shared with it, the home is not.
 */
export class Checkout {
  readonly folder: string;
  readonly env: Record<string, string | undefined>;

  private constructor(folder: string) {
    this.folder = folder;
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.env = {
      ...env,
      MCP_EDGE_HOME: join(folder, ".mcp-edge"),
      MCP_EDGE_CACHE: cache,
      INIT_CWD: folder,
      // Each start of the command line, of the engine's program and of its plugins loads many modules.
      NODE_COMPILE_CACHE: compiledCode(),
      // The npm scripts' Node, not another one on PATH.
      PATH: `${join(projectRoot, "node_modules/.bin")}:${process.env.PATH}`,
    };
  }

  static async create(): Promise<Checkout> {
    const folder = await folderOfRun("checkout");
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const { stdout } = await run("git", ["-c", "safe.directory=*", "-C", projectRoot, ...list]);
    for (const file of stdout.split("\0").filter(Boolean)) {
      await cp(join(projectRoot, file), join(folder, file)).catch((error) => {
        if (error.code !== "ENOENT") throw error; // deleted, not yet committed
      });
    }
    await symlink(join(projectRoot, "node_modules"), join(folder, "node_modules"));
    const checkout = new Checkout(folder);
    await checkout.git("init", "-q", "-b", "main");
    await checkout.git("add", "-A");
    await checkout.commit("Import");
    return checkout;
  }

  git(...args: string[]) {
    const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    return run("git", [...author, "-C", this.folder, ...args]);
  }

  commit = (message: string) => this.git("commit", "-q", "-a", "--allow-empty", "-m", message);

  /** Replace text in a file of the checkout. @throws Error when it is not there */
  async edit(file: string, from: string | RegExp, to: string): Promise<void> {
    const path = join(this.folder, file);
    const before = await readFile(path, "utf8");
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${file} has no ${from}`);
    await writeFile(path, after);
  }

  restore = (file: string) => this.git("checkout", "-q", "--", file);

  start(...args: string[]): ChildProcess {
    const { folder, env } = this;
    return spawn("node", ["cli/main.ts", ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Run the CLI to its end. */
  async cli(...args: string[]): Promise<CliResult> {
    const began = Date.now();
    const child = this.start(...args);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise<number>((done) => child.once("close", (exit) => done(exit ?? -1)));
    return { code, stdout, stderr, took: Date.now() - began };
  }

  /** `up --json`, which must succeed. */
  async up(stack: string, ...args: string[]): Promise<UpOutput> {
    const result = await this.cli("up", "--json", "--stack", stack, ...args);
    if (result.code !== 0) throw new Error(`up failed (${result.code}):\n${result.stderr}\n${result.stdout}`);
    return JSON.parse(result.stdout);
  }

  /** Removes everything, including what a failed test left. */
  async remove(...stacks: string[]): Promise<void> {
    for (const stack of stacks) {
      const result = await this.cli("down", "--stack", stack);
      if (result.code !== 0) throw new Error(`down failed:\n${result.stderr}\n${result.stdout}`);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Runs a command in the machine. A failure is in the exit code. */
export async function inMachine({ env }: Checkout, stack: string, ...command: string[]): Promise<RunResult> {
  const network = join(env.MCP_EDGE_HOME ?? "", "stacks", stack, "network.json");
  const { index } = JSON.parse(await readFile(network, "utf8"));
  return runInside(env, guestOf(stack, networkOf(index)), command);
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A connection that had served a request before was closed instead of an answer to the next one. */
class IdleConnectionClosed extends Error {
  constructor(cause: NodeJS.ErrnoException) {
    super(`${cause.message}, on a connection that was used before`, { cause });
  }
}

interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  agent?: Agent;
  /** Milliseconds without progress after which the request fails; short where an answer may never come. Default 60,000. */
  patience?: number;
}

/** One HTTPS request with verification against the stack's roots. */
export async function ask(up: UpOutput, path: string, options: AskOptions = {}): Promise<Answer> {
  const { hostname } = new URL(up.deployed.url);
  const ca = await readFile(up.deployed.rootsFile, "utf8");
  return new Promise((done, fail) => {
    const { method = "GET", headers = {}, agent = false, patience = 60_000 } = options;
    const call = request(
      { host: up.deployed.ipv4, servername: hostname, path, method, ca, agent, timeout: patience },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on("error", fail);
      },
    );
    for (const [name, value] of Object.entries({ host: hostname, ...headers })) call.setHeader(name, value);
    call.on("timeout", () => call.destroy(new Error(`no answer within ${patience / 1_000} s`)));
    call.on("error", (error: NodeJS.ErrnoException) => {
      const closed = ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
      fail(call.reusedSocket && closed ? new IdleConnectionClosed(error) : error);
    });
    call.end(options.body);
  });
}

export const mcpHeaders = (token: string) => ({
  authorization: `Bearer ${token}`,
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
});

/**
 * Sends requests at a steady rate until it is stopped, half GET and half POST. Connections are used again.
 * @param repeat once and on a new connection, when the server closed the connection that was used again, as clients do with such
 *   requests, which change nothing (RFC 9112, section 9.3.1). Caddy does that when it reloads. Default: that is a failure
 */
export function load(up: UpOutput, token: string, perSecond = 100, { repeat = false } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const failures: string[] = [];
  const pending = new Set<Promise<void>>();
  let sent = 0;
  let repeated = 0;
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const one = async () => {
    sent += 1;
    const post = sent % 2 === 0;
    const send = (connections: { agent?: Agent }) =>
      post
        ? ask(up, "/mcp", { method: "POST", headers: mcpHeaders(token), body, ...connections })
        : ask(up, "/readyz", connections);
    const again = (error: Error) => {
      if (!repeat || !(error instanceof IdleConnectionClosed)) throw error;
      repeated += 1;
      return send({});
    };
    const call = send({ agent }).catch(again);
    await call.then(
      ({ status, body: text }) => {
        if (status !== 200)
          failures.push(`${post ? "POST /mcp" : "GET /readyz"} ${status} ${text.slice(0, 200)}`);
      },
      (error: Error) => void failures.push(`${post ? "POST /mcp" : "GET /readyz"} ${error.message}`),
    );
  };
  const timer = setInterval(() => {
    const call = one();
    pending.add(call);
    call.finally(() => pending.delete(call));
  }, 1000 / perSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      agent.destroy();
      return { sent, repeated, failures };
    },
  };
}

/** Everything that a stack may leave on a host, as text, to compare before and after. Other suites, which run beside, leave none of it. */
export async function hostState(): Promise<Record<string, string>> {
  const out = async (command: string, ...args: string[]) => (await run(command, args)).stdout;
  const mounts = await readFile("/proc/self/mounts", "utf8");
  const processes = await out("ps", "-eo", "args");
  return {
    links: (await out("ip", "-br", "link")).replace(/[0-9a-f:]{17}.*$/gm, "").trim(),
    namespaces: await out("ip", "netns", "list"),
    tables: await out("nft", "list", "tables"),
    mounts: mounts
      .split("\n")
      .filter((line) => /^overlay \S*\/machine\//.test(line))
      .join("\n"),
    hosts: await readFile("/etc/hosts", "utf8"),
    cgroups: await out("find", "/sys/fs/cgroup", "-maxdepth", "3", "-name", "mcp-edge-*"),
    forward: await readFile("/proc/sys/net/ipv4/ip_forward", "utf8"),
    processes: processes
      .split("\n")
      .filter((line) => /^systemd-nspawn |^\S*\/ld-linux\S* .*\/usr\/bin\/pebble/.test(line))
      .join("\n"),
  };
}
