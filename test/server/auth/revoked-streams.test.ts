import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { tokenCommand } from "../../../server/auth/token-command.ts";
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

let working = 0;
const wait = defineTool({
  name: "wait",
  title: "Wait",
  description: "Waits until it is cancelled",
  scope: "code:read",
  input: z.object({}),
  output: z.object({}),
  run: async (_, { signal }) => {
    working++;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    working--;
    return {};
  },
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let tokensFile: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  tokensFile = join(folder.path, "tokens.json");
  const env = {
    WORKSPACE_DIR: join(folder.path, "workspace"),
    AUTH_MODE: "token",
    TOKENS_FILE: tokensFile,
    RATE_LIMIT_ADDRESS: "0",
  };
  running = await startApp(env, { tools: [wait] });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

interface Token {
  id: string;
  token: string;
}
async function command(...args: string[]): Promise<string> {
  let text = "";
  const made = tokenCommand({ TOKENS_FILE: tokensFile }, (more) => {
    text += more;
  });
  await made.parseAsync(args, { from: "user" });
  return text;
}
async function create(name: string, ...more: string[]): Promise<Token> {
  return JSON.parse(await command("create", "--name", name, "--json", ...more)) as Token;
}
/** Gives a token other scopes, as a deployment of the file does. */
async function setScopes({ id }: Token, scopes: string[]): Promise<void> {
  const text = await readFile(tokensFile, "utf8");
  const stored = JSON.parse(text) as { tokens: { id: string; scopes: string[] }[] };
  for (const token of stored.tokens) if (token.id === id) token.scopes = scopes;
  await writeFile(`${tokensFile}.new`, JSON.stringify(stored));
  await rename(`${tokensFile}.new`, tokensFile);
}

/** Lets a token end in a second: after its streams are open, however long that takes. */
async function expire({ id }: Token): Promise<void> {
  const text = await readFile(tokensFile, "utf8");
  const stored = JSON.parse(text) as { tokens: { id: string; expiresAt: string | null }[] };
  for (const token of stored.tokens)
    if (token.id === id) token.expiresAt = new Date(Date.now() + 1_000).toISOString();
  await writeFile(`${tokensFile}.new`, JSON.stringify(stored));
  await rename(`${tokensFile}.new`, tokensFile);
}

const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const ended = () =>
  running.logs.filter((l) => l.msg === "stream" && l.disconnect_reason === "revoked").length;

/** A notification stream, a listen stream and a call in flight of one token; each as the text that it came to. */
async function openStreams({ token }: Token) {
  const authorization = { authorization: `Bearer ${token}` };
  const session = await openSession(running.origin, authorization);
  const headers = {
    ...authorization,
    "mcp-session-id": session,
    "mcp-protocol-version": "2025-11-25",
  };
  const call = { jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "wait", arguments: {} } };
  const before = working;
  const responses = await Promise.all([
    fetch(`${running.origin}/mcp`, { headers: { ...headers, accept: "text/event-stream" } }),
    rpc(
      running.origin,
      {
        jsonrpc: "2.0",
        id: 1,
        method: "subscriptions/listen",
        params: { notifications: { toolsListChanged: true }, _meta: META },
      },
      {
        ...authorization,
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "subscriptions/listen",
      },
    ),
    rpc(running.origin, call, headers),
  ]);
  expect(responses.map((r) => r.status)).toEqual([200, 200, 200]);
  await eventually(() => working === before + 1, "the call");
  return { headers, responses };
}

test.each([
  ["is revoked", (token: Token) => command("revoke", token.id)],
  ["has expired", expire],
] as const)("a token that %s loses its open streams, and no other does", async (_, end) => {
  const other = await openStreams(await create("other"));
  const token = await create("one");
  const { headers, responses } = await openStreams(token);
  const before = ended();
  await end(token);
  for (const response of responses) await response.text();
  expect(ended()).toBe(before + 3);
  expect((await rpc(running.origin, LIST, headers)).status).toBe(401);
  expect(running.app.streams.size).toBe(3);
  expect((await rpc(running.origin, LIST, other.headers)).status).toBe(200);
  for (const response of other.responses) await response.body?.cancel();
  await fetch(`${running.origin}/mcp`, { method: "DELETE", headers: other.headers });
  await eventually(() => running.app.streams.size === 0, "the other streams to end");
});

test("a session in memory does what its token may do now", async () => {
  const token = await create("changing");
  const { headers, responses } = await openStreams(token);
  const tools = async () => (await rpc(running.origin, LIST, headers)).text();
  expect(await tools()).toContain('"wait"');
  await setScopes(token, ["ops"]);
  await eventually(() => ended() > 0 && running.app.streams.size === 0, "the streams of before");
  expect(await tools()).not.toContain('"wait"');
  const call = await responses[2]?.text();
  await setScopes(token, ["code:read"]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(await tools()).toContain('"wait"');
  // The earlier call ended with the rights that it started with, and a client that resumes learns so.
  const last = /id: (\S+)/.exec(call ?? "")?.[1] ?? "";
  const again = await fetch(`${running.origin}/mcp`, {
    headers: { ...headers, accept: "text/event-stream", "last-event-id": last },
  });
  const text = await readUntil(again, (t) => t.includes("error"));
  expect(text).toContain("the scopes of its token changed");
});
