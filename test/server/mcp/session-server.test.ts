import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { McpServer } from "@modelcontextprotocol/server";
import {
  eventually,
  INITIALIZE,
  makeRepository,
  openSession,
  readUntil,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "sample"));
});
afterAll(() => folder.remove());

/** A tool that waits, and tells what the SDK knows of the client; `counts` says how many servers were built. */
function waitingTool(until: Promise<void>) {
  const counts = { servers: 0, calls: 0 };
  const register = (server: McpServer) => {
    counts.servers++;
    server.registerTool("client", { description: "Names the client" }, async (ctx) => {
      counts.calls++;
      await until;
      await ctx.mcpReq.log("info", "not severe enough");
      return { content: [{ type: "text", text: JSON.stringify(server.server.getClientVersion()) }] };
    });
  };
  return { counts, profile: { register } };
}

test("a session whose server was released goes on: its client, log level and subscriptions are known", async () => {
  const { promise: until, resolve: go } = Promise.withResolvers<void>();
  const { counts, profile } = waitingTool(until);
  const env = { WORKSPACE_DIR: folder.path, DIRECT_CALLS: "no" };
  await using running = await startApp(env, { profile, live: { maxServers: 1 } });
  const { origin, app } = running;
  const request = async (headers: Record<string, string>, method: string, params: object = {}) =>
    (await rpc(origin, { jsonrpc: "2.0", id: 7, method, params }, headers)).text();
  const uri = "repo://sample/README.md";

  const one = { "mcp-session-id": await openSession(origin) };
  await request(one, "logging/setLevel", { level: "warning" });
  await request(one, "resources/subscribe", { uri });
  expect(counts.servers).toBe(1);
  const two = { "mcp-session-id": await openSession(origin) };
  expect(counts.servers).toBe(2);

  const call = request(one, "tools/call", { name: "client", arguments: {} });
  await eventually(() => counts.calls === 1, "the call to begin");
  expect(counts.servers).toBe(3);
  // The server of a call in progress stays, whatever other sessions do.
  expect(await request(two, "ping")).toContain('"result":{}');
  expect(await request(two, "prompts/list")).toContain('"prompts"');
  go();
  const answer = await call;
  expect(answer).toContain(JSON.stringify(JSON.stringify(INITIALIZE.params.clientInfo)));
  expect(answer).not.toContain("not severe enough");
  expect(counts.servers).toBe(4);
  expect(await request(one, "resources/unsubscribe", { uri })).toContain('"result":{}');

  // Notifications need no server.
  await request(two, "ping");
  const made = counts.servers;
  const stream = await fetch(`${origin}/mcp`, { headers: { accept: "text/event-stream", ...one } });
  await eventually(() => app.streams.size === 1, "the stream to open");
  app.http.mcp?.broadcast("info", "test", "unwanted", "sample");
  app.http.mcp?.broadcast("warning", "test", "wanted", "sample");
  expect(await readUntil(stream, (text) => text.includes("wanted"))).not.toContain("unwanted");
  expect((await fetch(`${origin}/mcp`, { method: "DELETE", headers: two })).status).toBe(200);
  expect(counts.servers).toBe(made);
});

test("a client that opens a session gets the same answer from a server without tools as from one that has all of them", async () => {
  const env = { WORKSPACE_DIR: folder.path, DIRECT_CALLS: "no" };
  await using brief = await startApp(env);
  await using whole = await startApp(env, { profile: { register: () => undefined } });
  const opened = await Promise.all([brief, whole].map(({ origin }) => rpc(origin, INITIALIZE)));
  const [answer, expected] = await Promise.all(opened.map((response) => response.json()));
  expect(answer).toEqual(expected);

  // The requests that follow get a server that has everything, even before the client has said that it is initialized.
  const headers = { "mcp-session-id": opened[0]?.headers.get("mcp-session-id") ?? "" };
  const request = async (method: string, params: object = {}) =>
    (await rpc(brief.origin, { jsonrpc: "2.0", id: 7, method, params }, headers)).text();
  expect(await request("tools/list")).toContain('"read_file"');
  const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
  expect((await rpc(brief.origin, initialized, headers)).status).toBe(202);
  expect(await request("prompts/list")).toContain('"prompts"');
  expect(await request("resources/subscribe", { uri: "repo://sample/README.md" })).toContain('"result":{}');
});
