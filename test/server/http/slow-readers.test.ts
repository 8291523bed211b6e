import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Notify } from "../../../server/mcp/changes.ts";
import { defineTool } from "../../../server/tools/tool.ts";
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

const flood = defineTool({
  name: "flood",
  title: "Flood",
  description: "Says far more than anybody reads",
  capability: "code:read",
  input: z.object({}),
  output: z.object({ lines: z.int() }),
  run: async (_, { log, signal }) => {
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
let changes: Notify;
/** The MCP servers of the sessions, as they were made. */
const servers: McpServer[] = [];
/** The most that ever waited. */
let most = 0;
let watching: NodeJS.Timeout;

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  running = await startApp(
    {
      WORKSPACE_DIR: join(folder.path, "workspace"),
      AUTH_MODE: "none",
      RATE_LIMIT_ADDRESS: "0",
      LOG_LEVEL: "info",
    },
    {
      tools: [flood],
      streams: { standing: LIMIT, answer: LIMIT, stallMs: 1_000 },
      profile: {
        watches: (uri) => uri.startsWith("test://"),
        register: (server, notify) => {
          changes = notify;
          servers.push(server);
        },
      },
    },
  );
  watching = setInterval(() => {
    most = Math.max(most, running.app.streams.queuedBytes);
  }, 1);
}, 300_000);
afterAll(async () => {
  clearInterval(watching);
  await running?.app.close();
  await folder?.remove();
});

/** A client that sends one request and then reads `bytes` every 20 ms. */
interface SlowClient {
  /** Its connection was ended from the other side. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}
interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}
type Open = (asked: Asked, bytes: number) => Promise<SlowClient>;

const http1: Open = async ({ method, path, headers, body = "" }, bytes) => {
  const socket: Socket = connect(Number(new URL(running.origin).port), "127.0.0.1");
  const all = { host: "127.0.0.1", "content-length": String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  // Without a reader the kernel says only by an error of a write that the other side is gone.
  const probe = setInterval(() => {
    if (bytes === 0) socket.write("\r\n");
    else if (socket.readable) socket.read(Math.min(bytes, socket.readableLength));
  }, 20);
  for (const event of ["error", "close", "end"] as const) socket.once(event, () => resolve());
  socket.once("readable", () => undefined);
  const close = async () => {
    clearInterval(probe);
    socket.destroy();
  };
  return { ended: ended.then(() => clearInterval(probe)), close };
};

const cuts = () =>
  running.logs.filter((l) => l.msg === "stream" && l.disconnect_reason === "slow_reader").length;
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

/** Each source of events: how a client asks for it, and how it is made to overflow. */
const sources: Record<string, () => Promise<{ asked: Asked; overflow?: () => Promise<void> }>> = {
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
  }),
  "the answer of a call without a session": async () => ({
    asked: { method: "POST", path: "/mcp", headers: JSON_HEADERS, body: call({}) },
  }),
  "the answer of a call of the 2026 era": async () => ({
    asked: {
      method: "POST",
      path: "/mcp",
      headers: modern("tools/call", "flood"),
      body: call({ _meta: META }),
    },
  }),
  "the notifications of a session": async () => {
    const session = await openSession(running.origin);
    const server = servers.at(-1);
    return {
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
          changes.resourceUpdated(uri);
          if (bytes % (uri.length * 8) === 0) await new Promise((turned) => setImmediate(turned));
        }
      },
    };
  },
};

describe.each([["HTTP/1.1", http1]])("over %s", (_, open) => {
  describe.each([
    ["never reads", 0],
    ["trickles", 64],
  ])("a client that %s", (_, bytes) => {
    test.each(Object.entries(sources))(
      "is cut: %s",
      async (_, source) => {
        const before = cuts();
        most = 0;
        const { asked, overflow } = await source();
        const client = await open(asked, bytes);
        await eventually(() => running.app.streams.size === 1, "the stream");
        await overflow?.();
        await eventually(() => cuts() === before + 1, "the stream to be cut");
        // One message may be longer than what is left.
        expect(most).toBeLessThanOrEqual(LIMIT + 2 * LINE.length);
        expect([running.app.streams.size, running.app.streams.queuedBytes]).toEqual([0, 0]);
        // The connection is gone too, with what its buffers held.
        await eventually(() => running.app.lifecycle.inFlight === 0, "the request to be over");
        await client.close();
      },
      60_000,
    );
  });
});
