import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { SessionTransport } from "../../../server/mcp/session-transport.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import {
  eventually,
  makeRepository,
  openSession,
  type RunningApp,
  readUntil,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

/** Running calls, each with its signal, and what ends it. */
const working = new Map<AbortSignal, () => void>();
/** Ends the calls that are not cancelled. */
const finish = () => {
  for (const [signal, end] of working) if (!signal.aborted) end();
};
const wait = defineTool({
  name: "wait",
  title: "Wait",
  description: "Waits until it is cancelled, or the test ends it",
  scope: "code:read",
  input: z.object({}),
  output: z.object({ waited: z.boolean() }),
  run: async (_, { signal }) => {
    await new Promise<void>((resolve) => {
      working.set(signal, resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    working.delete(signal);
    return { waited: true };
  },
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
const servers: McpServer[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const profile = { register: (server: McpServer) => void servers.push(server) };
  const env = { WORKSPACE_DIR: join(folder.path, "workspace"), RATE_LIMIT_ADDRESS: "0" };
  running = await startApp(env, { tools: [wait], profile });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});
beforeEach(() => {
  servers.length = 0;
});

const call = (id: number) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "wait", arguments: {} },
});
const cancel = (requestId: number) => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: { requestId },
});
async function session(version = "2025-11-25") {
  const id = await openSession(running.origin);
  return { "mcp-session-id": id, "mcp-protocol-version": version };
}

test.each(["2025-11-25", "2025-03-26"])(
  "DELETE ends the calls in flight and their streams (%s)",
  async (version) => {
    for (let round = 0; round < 3; round++) {
      const headers = await session(version);
      const answers = await Promise.all([1, 2, 3].map((id) => rpc(running.origin, call(id), headers)));
      await eventually(() => working.size === 3, "the calls");
      const deletion = await fetch(`${running.origin}/mcp`, { method: "DELETE", headers });
      expect(deletion.status).toBe(200);
      await deletion.text();
      for (const answer of answers) expect(await answer.text()).not.toContain('"result"');
      await eventually(() => working.size === 0, "the calls to be cancelled");
    }
    await eventually(() => running.app.streams.size === 0, "the streams to end");
    await eventually(() => running.app.lifecycle.inFlight === 0, "the requests to end");
    expect(running.logs.filter((l) => l.msg === "mcp failed")).toEqual([]);
  },
);

test("a session that cancels often keeps nothing of the cancelled requests", async () => {
  const headers = await session();
  for (let id = 1; id <= 50; id++) {
    const answer = await rpc(running.origin, call(id), headers);
    await eventually(() => working.size === 1, "the call");
    expect((await rpc(running.origin, cancel(id), headers)).status).toBe(202);
    expect(await answer.text()).not.toContain('"result"');
    await eventually(() => working.size === 0, "the call to end");
  }
  const transport = servers
    .map(({ server }) => server.transport)
    .find((t) => t?.sessionId === headers["mcp-session-id"]) as SessionTransport;
  expect(transport.busy).toBe(false);
});

test("a batch with one cancelled call answers the other calls and ends its stream", async () => {
  const headers = await session("2025-03-26");
  const answer = await rpc(running.origin, [call(1), call(2)], headers);
  await eventually(() => working.size === 2, "the calls");
  expect((await rpc(running.origin, cancel(1), headers)).status).toBe(202);
  await eventually(() => working.size === 1, "the cancelled call to end");
  finish();
  const text = await answer.text();
  expect(text).toContain('"id":2');
  expect(text).not.toContain('"id":1');
});

test("a client that disconnects does not cancel its call, and gets the answer when it reconnects", async () => {
  const headers = await session();
  const answer = await rpc(running.origin, call(1), headers);
  const text = await readUntil(answer, (t) => t.includes("id: "));
  const last = /id: (\S+)/.exec(text)?.[1] ?? "";
  await eventually(() => working.size === 1, "the call");
  const again = await fetch(`${running.origin}/mcp`, {
    headers: { accept: "text/event-stream", ...headers, "last-event-id": last },
  });
  finish();
  expect(await again.text()).toContain('"waited":true');
});
