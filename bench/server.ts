import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { run } from "../infra/exec.ts";
import type { Figure } from "./figures.ts";
import { bearerFigures } from "./server/bearer.ts";
import type { Load, LoadResult } from "./server/load-types.ts";
import type { Memory } from "./server/memory.ts";
import { type Peer, peers } from "./server/peers.ts";

/** The server has the first core for itself, the load generator the second. */
const ONE_CORE = ["taskset", "-c", "0"];
const OTHER_CORE = ["taskset", "-c", "1"];
const CONNECTIONS = 16;
/** Seconds. V8 compiles the code of a call in steps, the last of which come after some 50,000 calls. */
const WARM_UP = 8;
const SECONDS = 6;
/** Numbers of calls after which the heap is compared. */
const HEAP_CALLS = [100_000, 1_000_000] as const;

/** A server that runs. */
export interface Served {
  readonly url: string;
  readonly pid: number;
  /** What each request to it has besides the protocol's headers. */
  readonly headers: Readonly<Record<string, string>>;
  memory(): Promise<Memory>;
  stop(): Promise<void>;
}

export type Loading = (target: Served) => Promise<Omit<Load, "seconds">>;

const here = (file: string) => join(import.meta.dirname, "server", file);

/**
 * Calls and lists on one core: our server in both protocol eras, beside the ceiling and other servers, all from one run by the same load
 * generator. Everything that a machine has switched on is on here: see `environment`.
 */
export async function serverFigures(log: (line: string) => void): Promise<Figure[]> {
  const others = await peers(log);
  return withFolder(async (folder) => {
    const figures: Figure[] = [];
    const one = async (target: Served, loading: Loading, what: string) => {
      log(what);
      return measured(target, loading);
    };
    const ceiling = await served([process.execPath, here("ceiling.ts")], folder);
    const echo = await one(ceiling, plain("echo"), "ceiling: node:http that parses and answers JSON, 200 B");
    const large = await one(ceiling, plain("large"), "ceiling, 40 KB");
    const both = await one(ceiling, plain("both"), "ceiling, 40 KB as text and as structure");
    await ceiling.stop();
    const ratio = (what: string, ours: LoadResult, against: LoadResult, promise = "") =>
      figures.push(row(what, ours, { name: "node:http", value: against.rate }, promise));

    const ours = await served([process.execPath, here("echo.ts")], folder);
    const call2025 = await one(ours, sessions("echo"), "mcp-edge: tools/call 200 B, sessions of 2025-11-25");
    ratio("mcp-edge, 200 B, a session of 2025-11-25", call2025, echo, ">= 0.30 x");
    const call2026 = await one(
      ours,
      envelopes("tools/call", "echo"),
      "mcp-edge: tools/call 200 B, 2026-07-28",
    );
    ratio("mcp-edge, 200 B, 2026-07-28", call2026, echo, ">= 0.30 x");
    const list = await one(ours, envelopes("tools/list"), "mcp-edge: tools/list, 2026-07-28");
    ratio("mcp-edge, tools/list, 2026-07-28", list, echo, ">= 0.30 x");
    const large2025 = await one(
      ours,
      sessions("large"),
      "mcp-edge: tools/call 40 KB, sessions of 2025-11-25",
    );
    ratio("mcp-edge, 40 KB, a session of 2025-11-25", large2025, large, ">= 0.30 x");
    const large2026 = await one(
      ours,
      envelopes("tools/call", "large"),
      "mcp-edge: tools/call 40 KB, 2026-07-28",
    );
    ratio("mcp-edge, 40 KB, 2026-07-28", large2026, large, ">= 0.30 x");
    const converted = { name: "node:http, 40 KB as text and as structure", value: both.rate };
    figures.push(row("mcp-edge, 40 KB, 2026-07-28, beside the same answer", large2026, converted, ""));
    const half = Math.round(call2026.rate / 2);
    log(`mcp-edge: latency at ${half} requests a second, half of the peak rate`);
    const at = async (target: Served, loading: Loading) =>
      sent({ ...(await loading(target)), seconds: SECONDS, rate: half });
    const paced = await at(ours, envelopes("tools/call", "echo"));
    await ours.stop();
    const bare = await served([process.execPath, here("ceiling.ts")], folder);
    await measured(bare, plain("echo"));
    figures.push({
      what: "p99 at half of the peak rate, 2026-07-28",
      unit: "ms",
      ours: paced.p99,
      against: { name: "node:http at the same rate", value: (await at(bare, plain("echo"))).p99 },
      promise: "<= 5 ms",
      note: `p50 ${paced.p50.toFixed(1)} ms`,
    });
    await bare.stop();

    for (const peer of others) {
      const target = await servedPeer(peer).catch((error: Error) => log(`left out: ${error.message}`));
      if (!target) continue;
      for (const [tool, against] of [
        ["echo", echo],
        ["large", large],
      ] as const) {
        const size = tool === "echo" ? "200 B" : "40 KB";
        const result = await one(target, sessions(tool), `${peer.name}, ${size}`).catch((error: Error) =>
          log(`left out: ${peer.name}, ${size}: ${error.message}`),
        );
        if (result) ratio(`${peer.name}, ${size}`, result, against);
      }
      await target.stop();
    }
    figures.push(await heapFigure(folder, log));
    log("the check of an access token");
    figures.push(...(await bearerFigures()));
    return figures;
  });
}

async function heapFigure(folder: string, log: (line: string) => void): Promise<Figure> {
  const target = await served([process.execPath, here("echo.ts")], folder);
  const load = await sessions("echo")(target);
  const heaps: number[] = [];
  let calls = 0;
  for (const until of HEAP_CALLS) {
    log(`mcp-edge: ${until.toLocaleString("en")} calls`);
    while (calls < until) {
      const { rate } = await sent({ ...load, seconds: 10 });
      calls += rate * 10;
    }
    heaps.push((await target.memory()).heap / 1024);
  }
  await target.stop();
  const [before = 0, after = 0] = heaps;
  const name = `after ${HEAP_CALLS[0].toLocaleString("en")} calls`;
  return {
    what: `heap after ${HEAP_CALLS[1].toLocaleString("en")} calls`,
    unit: "KB",
    ours: after,
    against: { name, value: before },
    promise: "within 5 %",
  };
}

/** A folder for the time of the work. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const row = (
  what: string,
  ours: LoadResult,
  against: Figure["against"] & object,
  promise: string,
): Figure => ({
  what,
  unit: "req/s",
  ours: ours.rate,
  against,
  promise,
  note: `p50 ${ours.p50} ms, p99 ${ours.p99} ms${ours.failed ? `, ${ours.failed} FAILED` : ""}`,
});

/**
 * As on a machine: access tokens, limits by address and by token (which the load does not reach), quotas, shedding, the audit log,
 * metrics, and a log line for each request.
 */
const environment = (folder: string) => ({
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
  const child = spawn(ONE_CORE[0] as string, [...ONE_CORE.slice(1), ...command], {
    env: { ...process.env, ...environment(folder), ...variables },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  child.stdout?.resume();
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

async function servedPeer(peer: Peer): Promise<Served> {
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

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

export async function measured(target: Served, how: Loading): Promise<LoadResult> {
  const load = await how(target);
  await sent({ ...load, seconds: WARM_UP });
  return sent({ ...load, seconds: SECONDS });
}

/** Sends the load from the other core. */
export async function sent(load: Load): Promise<LoadResult> {
  const [command = "", ...args] = [...OTHER_CORE, process.execPath, here("load.ts")];
  const { stdout } = await run(command, args, { input: JSON.stringify(load) });
  return JSON.parse(stdout);
}

const JSON_RPC = { "content-type": "application/json", accept: "application/json, text/event-stream" };
/** The answer of `echo` has 200 bytes of content, as text and as structure. */
const TEXT = "it comes back".padEnd(80, ".");
const message = (method: string, params: object) =>
  JSON.stringify({ jsonrpc: "2.0", id: "[<id>]", method, params });
const call = (name: string, more: object = {}) =>
  message("tools/call", { name, arguments: name === "echo" ? { text: TEXT } : {}, ...more });
/** What each answer contains. */
const EXPECTED: Readonly<Record<string, string>> = {
  echo: TEXT,
  large: "xxxx",
  both: "xxxx",
  "": '"tools"',
};
const expected = (name = "") => EXPECTED[name] ?? '"structuredContent"';
const connections = (headers: Record<string, string>) => Array.from({ length: CONNECTIONS }, () => headers);

export const plain =
  (name: string): Loading =>
  async ({ url }) => ({
    url,
    connections: connections(JSON_RPC),
    body: call(name),
    expect: expected(name),
  });

/** A session for each connection. */
export const sessions =
  (name: string): Loading =>
  async ({ url, headers }) => {
    const ids: string[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const client = new Client({ name: "bench", version: "1" });
      const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
      await client.connect(transport);
      ids.push(transport.sessionId ?? "");
    }
    const all = ids.map((id) => ({
      ...JSON_RPC,
      ...headers,
      ...(id ? { "mcp-session-id": id } : {}),
      "mcp-protocol-version": "2025-11-25",
    }));
    return { url, connections: all, body: call(name), expect: expected(name) };
  };

/** Opens a session, with as little as that takes. @returns the headers of its requests */
export async function initialized({ url, headers }: Served): Promise<Record<string, string>> {
  const version = "2025-11-25";
  const send = (sent: Record<string, string>, body: object) =>
    fetch(url, { method: "POST", headers: { ...JSON_RPC, ...headers, ...sent }, body: JSON.stringify(body) });
  const clientInfo = { name: "bench", version: "1" };
  const params = { protocolVersion: version, capabilities: {}, clientInfo };
  const opened = await send({}, { jsonrpc: "2.0", id: 0, method: "initialize", params });
  if (!opened.ok) throw new Error(`no session: HTTP/1.1 ${opened.status} ${await opened.text()}`);
  await opened.text();
  const session = {
    "mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
    "mcp-protocol-version": version,
  };
  await send(session, { jsonrpc: "2.0", method: "notifications/initialized" });
  return { ...headers, ...session };
}

/** No session: each request brings its envelope. */
export const envelopes =
  (method: "tools/call" | "tools/list", name?: string, args?: object): Loading =>
  async ({ url, headers }) => {
    const version = "2026-07-28";
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const all = {
      ...JSON_RPC,
      ...headers,
      "mcp-protocol-version": version,
      "mcp-method": method,
      ...(name ? { "mcp-name": name } : {}),
    };
    const body = name
      ? call(name, { _meta, ...(args ? { arguments: args } : {}) })
      : message(method, { _meta });
    return { url, connections: connections(all), body, expect: expected(name) };
  };
