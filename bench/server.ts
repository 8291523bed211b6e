import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { run } from "../infra/exec.ts";
import type { Figure } from "./figures.ts";
import { bearerFigures } from "./server/bearer.ts";
import type { Load, LoadResult } from "./server/load.ts";
import { peerPython } from "./server/peer.ts";

/** The server has the first core for itself, who asks it the second. */
const ONE_CORE = ["taskset", "-c", "0"];
const OTHER_CORE = ["taskset", "-c", "1"];
const CONNECTIONS = 16;
const WARM_UP = 3;
const SECONDS = 8;

interface Served {
  url: string;
  /** For every request; missing where none is needed. */
  token?: string | undefined;
  pid: number;
  stop(): Promise<void>;
}

const here = (file: string) => join(import.meta.dirname, "server", file);

/** Tools/call on one core: our server in both protocol eras, beside the ceiling and the peer. All from one run. */
export async function serverFigures(log: (line: string) => void): Promise<Figure[]> {
  const python = await peerPython(log);
  return withFolder(async (folder) => {
    log("the ceiling: node:http that parses and answers JSON");
    const ceiling = await measured(await served([process.execPath, here("ceiling.ts")], folder), plain);
    log("the peer: FastMCP and FastAPI on Hypercorn");
    const peer = await measured(await servedByPython(python), sessions);
    log("mcp-edge, sessions of 2025-11-25");
    const legacy = await measured(
      await served([process.execPath, here("echo.ts")], folder, SIGN_IN),
      sessions,
    );
    log("mcp-edge, 2026-07-28");
    const modern = await measured(
      await served([process.execPath, here("echo.ts")], folder, SIGN_IN),
      envelopes,
    );
    const figure = (what: string, ours: LoadResult, promise: string): Figure[] => [
      row(what, ours, { name: "node:http, JSON", value: ceiling.rate }, promise),
      row(what, ours, { name: "FastMCP, FastAPI, Hypercorn", value: peer.rate }, ""),
    ];
    log("the check of an access token");
    const bearer = await bearerFigures();
    return [
      ...bearer,
      ...figure("tools/call, a session of 2025-11-25", legacy, ">= 6,500"),
      ...figure("tools/call, 2026-07-28", modern, ">= 5,000"),
    ];
  });
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

/** With access tokens, as on a machine. Clients name the server by another port; only its host name counts. */
const SIGN_IN = { AUTH_MODE: "oauth", PUBLIC_URL: "http://127.0.0.1:3000" };

/** What the server is given, beside its folder: everything on, as on a machine, but no limit that the load would meet. */
const environment = (folder: string) => ({
  AUTH_MODE: "none",
  LOG_LEVEL: "info",
  SESSIONS_DIR: join(folder, "sessions"),
  AUDIT_DIR: join(folder, "audit"),
  INDEX_DIR: join(folder, "index"),
  WORKSPACE_DIR: folder,
  RATE_LIMIT_ADDRESS: "1000000",
  RATE_LIMIT_TOKEN: "1000000",
});

/** Start a program of ours that tells its port when it listens. */
export async function served(
  command: string[],
  folder: string,
  more: Record<string, string> = {},
): Promise<Served> {
  const child = spawn(ONE_CORE[0] as string, [...ONE_CORE.slice(1), ...command], {
    env: { ...process.env, ...environment(folder), ...more },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { port, token } = await new Promise<{ port: number; token?: string }>((done, fail) => {
    child.once("message", (message) => done(message as { port: number; token?: string }));
    child.once("exit", (code) => fail(new Error(`${command[1]} ended with ${code} before it listened`)));
  });
  return { url: `http://127.0.0.1:${port}/mcp`, token, pid: child.pid ?? 0, stop: () => ended(child) };
}

async function servedByPython(python: string): Promise<Served> {
  const port = await freePort();
  const child = spawn(ONE_CORE[0] as string, [...ONE_CORE.slice(1), python, here("peer.py"), String(port)], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const url = `http://127.0.0.1:${port}/mcp`;
  const until = Date.now() + 60_000;
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (Date.now() > until || child.exitCode !== null)
      throw new Error("the peer did not start: run bench/server/peer.py by hand");
    await new Promise((done) => setTimeout(done, 100));
  }
  return { url, pid: child.pid ?? 0, stop: () => ended(child) };
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
  await gone;
}

export async function measured(
  target: Served,
  how: (url: string, headers: Record<string, string>) => Promise<Omit<Load, "seconds">>,
): Promise<LoadResult> {
  try {
    const headers: Record<string, string> = target.token ? { authorization: `Bearer ${target.token}` } : {};
    const load = await how(target.url, headers);
    await sent({ ...load, seconds: WARM_UP });
    return await sent({ ...load, seconds: SECONDS });
  } finally {
    await target.stop();
  }
}

async function sent(load: Load): Promise<LoadResult> {
  const [command = "", ...args] = [...OTHER_CORE, process.execPath, here("load.ts")];
  const { stdout } = await run(command, args, { input: JSON.stringify(load) });
  return JSON.parse(stdout);
}

const JSON_RPC = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const TEXT = "it comes back";
const call = (more: object) =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: "[<id>]",
    method: "tools/call",
    params: { name: "echo", arguments: { text: TEXT }, ...more },
  });
const connections = (headers: Record<string, string>) => Array.from({ length: CONNECTIONS }, () => headers);

const plain = async (url: string) => ({
  url,
  connections: connections(JSON_RPC),
  body: call({}),
  expect: TEXT,
});

/** A session for each connection. */
export async function sessions(url: string, more: Record<string, string> = {}) {
  const ids: string[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const client = new Client({ name: "bench", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: more } });
    await client.connect(transport);
    ids.push(transport.sessionId ?? "");
  }
  const headers = ids.map((id) => ({
    ...JSON_RPC,
    ...more,
    "mcp-session-id": id,
    "mcp-protocol-version": "2025-11-25",
  }));
  return { url, connections: headers, body: call({}), expect: TEXT };
}

/** No session: each request brings its envelope. */
export async function envelopes(url: string, more: Record<string, string> = {}) {
  const version = "2026-07-28";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const headers = {
    ...JSON_RPC,
    ...more,
    "mcp-protocol-version": version,
    "mcp-method": "tools/call",
    "mcp-name": "echo",
  };
  return { url, connections: connections(headers), body: call({ _meta }), expect: TEXT };
}
