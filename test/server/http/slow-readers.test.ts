import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Publish } from "../../../server/mcp/server-parts.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import { type Authority, createAuthority } from "../../cli/http3/servers/certificates.ts";
import { type Nginx, startNginx } from "../../cli/http3/servers/nginx.ts";
import { freePort } from "../../support/free-port.ts";
import {
  eventually,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  startApp,
  temporaryFolder,
} from "../support.ts";

/** Far more than the kernel and NGINX keep for a connection. */
const FLOOD_BYTES = 24 * 1024 * 1024;
const LINE = "x".repeat(4_096);
/** What may wait in the server in these tests. */
const LIMIT = 128 * 1024;

/** Ends the wait of the tool. */
let flooding = Promise.withResolvers<void>();

const flood = defineTool({
  name: "flood",
  title: "Flood",
  description: "Says far more than anybody reads",
  scope: "code:read",
  input: z.object({}),
  output: z.object({ lines: z.int() }),
  run: async (_, { log, signal }) => {
    // With the first line the answer becomes a stream, which its client has before the flood.
    log?.("info", LINE);
    await flooding.promise;
    let lines = 0;
    for (; lines * LINE.length < FLOOD_BYTES && !signal.aborted; lines++) {
      log?.("info", LINE);
      if (lines % 8 === 0) await new Promise((turned) => setImmediate(turned));
    }
    return { lines };
  },
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let authority: Authority;
let nginx: Nginx;
let edge: string;
let announce: Publish;
/** The MCP servers of the sessions, as they were made. */
const servers: McpServer[] = [];
/** The most that ever waited. */
let most = 0;
let watching: NodeJS.Timeout;

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const port = await freePort();
  running = await startApp(
    {
      WORKSPACE_DIR: join(folder.path, "workspace"),
      PUBLIC_URL: `https://edge.test:${port}`,
      ALLOWED_HOSTS: "127.0.0.1",
      AUTH_MODE: "none",
      AUTH_NONE_ALLOWED: "yes",
      RATE_LIMIT_ADDRESS: "0",
      // The flood and a busy host may hold the loop up; that is not what is tested.
      SHED_EVENT_LOOP_MS: "0",
      LOG_LEVEL: "info",
    },
    {
      tools: [flood],
      streams: { longLived: LIMIT, answer: LIMIT, stallMs: 1_000 },
      profile: {
        watches: (uri) => uri.startsWith("test://"),
        register: (server, publish) => {
          announce = publish;
          servers.push(server);
        },
      },
    },
  );
  authority = createAuthority();
  nginx = await startNginx({
    folder: authority.folder,
    certificate: authority.issue("edge.test"),
    port,
    httpPort: await freePort(),
    backend: Number(new URL(running.origin).port),
  });
  edge = `https://edge.test:${port}`;
  watching = setInterval(() => {
    most = Math.max(most, running.app.streams.queuedBytes);
  }, 1);
}, 300_000);
afterAll(async () => {
  clearInterval(watching);
  await nginx?.stop();
  await running?.app.close();
  authority?.remove();
  await folder?.remove();
});

/** A client that asks once and hardly reads. @returns ends it */
type Open = (asked: Asked, trickles: boolean) => Promise<() => void>;
interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}
const http1: Open = async ({ method, path, headers, body = "" }, trickles) => {
  const socket = connect(Number(new URL(running.origin).port), "127.0.0.1");
  const all = { host: "127.0.0.1", "content-length": String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  socket.on("error", () => undefined);
  if (!trickles) return () => socket.destroy();
  socket.once("readable", () => undefined);
  const reading = setInterval(() => socket.read(Math.min(64, socket.readableLength)), 20);
  return () => {
    clearInterval(reading);
    socket.destroy();
  };
};

const http3: Open = async ({ path, ...request }, trickles) => {
  const argument = JSON.stringify({ url: `${edge}${path}`, ca: String(authority.ca), ...request });
  const program = join(import.meta.dirname, "http3-client.ts");
  const child = spawn(process.execPath, [program, argument], { stdio: ["ignore", "pipe", "inherit"] });
  const [status] = await Promise.race([
    once(child.stdout, "data"),
    once(child, "close").then(() => ["no answer"]),
  ]);
  expect(String(status).trim()).toBe("200");
  child.kill("SIGSTOP");
  const running = async () => {
    child.kill("SIGCONT");
    await sleep(2);
    child.kill("SIGSTOP");
  };
  const reading = trickles ? setInterval(() => void running(), 250) : undefined;
  return () => {
    clearInterval(reading);
    child.kill("SIGTERM");
    child.kill("SIGCONT");
    // In case the client cannot close its connection.
    setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
  };
};

const cuts = () =>
  running.logs.filter((l) => l.msg === "stream" && l.disconnect_reason === "slow_reader").length;
const ended = () => running.logs.filter((l) => l.msg === "stream").length;
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/logLevel": "debug",
};
const modern = (method: string, name?: string) => ({
  ...JSON_HEADERS,
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": method,
  ...(name ? { "mcp-name": name } : {}),
});
const call = (meta: object) =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: 7,
    method: "tools/call",
    params: { name: "flood", arguments: {}, ...meta },
  });

/** The client has the head of its answer. */
const floods = async () => flooding.resolve();

interface Source {
  readonly asked: Asked;
  readonly overflow: () => Promise<void>;
  /** Read from the store at the client's pace: who takes a little now and then is served, and may get through. */
  readonly paced?: true;
}

/** Each source of events: how a client asks for it, and how it is made to overflow. */
const sources: Record<string, () => Promise<Source>> = {
  "the answer of a call in a session": async () => ({
    asked: {
      method: "POST",
      path: "/mcp",
      headers: {
        ...JSON_HEADERS,
        "mcp-session-id": await openSession(running.origin),
        "mcp-protocol-version": "2025-11-25",
      },
      body: call({}),
    },
    overflow: floods,
  }),
  "the answer of a call without a session": async () => ({
    asked: { method: "POST", path: "/mcp", headers: JSON_HEADERS, body: call({}) },
    overflow: floods,
  }),
  "the answer of a call of the 2026 era": async () => ({
    asked: {
      method: "POST",
      path: "/mcp",
      headers: modern("tools/call", "flood"),
      body: call({ _meta: META }),
    },
    overflow: floods,
  }),
  "the notifications of a session": async () => {
    const session = await openSession(running.origin);
    const server = servers.at(-1);
    return {
      paced: true,
      asked: {
        method: "GET",
        path: "/mcp",
        headers: { accept: "text/event-stream", "mcp-session-id": session },
      },
      overflow: async () => {
        for (let bytes = 0; bytes < FLOOD_BYTES; bytes += LINE.length) {
          await server?.sendLoggingMessage({ level: "info", data: LINE }, session);
          // The store keeps the last thousand: the stream has to get them before they go.
          if (bytes % (LINE.length * 64) === 0) await sleep(25);
        }
      },
    };
  },
  "a listen stream": async () => {
    const uri = `test://${"y".repeat(4_000)}`;
    const notifications = { resourceSubscriptions: [uri] };
    return {
      asked: {
        method: "POST",
        path: "/mcp",
        headers: modern("subscriptions/listen"),
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "subscriptions/listen",
          params: { notifications, _meta: META },
        }),
      },
      overflow: async () => {
        for (let bytes = 0; bytes < FLOOD_BYTES; bytes += uri.length) {
          announce({ kind: "resource_updated", uri });
          if (bytes % (uri.length * 8) === 0) await new Promise((turned) => setImmediate(turned));
        }
      },
    };
  },
};

describe.each([
  ["HTTP/1.1", http1],
  ["HTTP/3", http3],
])("over %s", (_, open) => {
  describe.each([
    ["never reads", false],
    ["trickles", true],
  ])("a client that %s", (_, trickles) => {
    test.each(Object.entries(sources))("is cut: %s", async (_, source) => {
      const [before, endedBefore] = [cuts(), ended()];
      most = 0;
      flooding = Promise.withResolvers();
      const { asked, overflow, paced } = await source();
      const close = await open(asked, trickles);
      try {
        await eventually(() => running.app.streams.size === 1, "the stream");
        await overflow();
        // A client that takes a little may be fast enough for all of it, on some machines.
        const { streams } = running.app;
        const served = () => trickles && (paced ? streams.queuedBytes === 0 : ended() > endedBefore);
        await eventually(() => cuts() === before + 1 || served(), "the stream to be cut");
        // One message may be longer than what is left.
        expect(most).toBeLessThanOrEqual(LIMIT + 2 * LINE.length);
        // A client that got through leaves by itself.
        if (cuts() === before) close();
        await eventually(() => running.app.streams.size === 0, "the stream to be gone");
        expect([running.app.streams.size, running.app.streams.queuedBytes]).toEqual([0, 0]);
        // The connection is gone too, with what its buffers held.
        await eventually(() => running.app.lifecycle.inFlight === 0, "the request to be over");
      } finally {
        close();
      }
    });
  });
});
