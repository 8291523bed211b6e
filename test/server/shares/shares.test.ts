import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { defineTool } from "../../../server/tools/tool.ts";
import { runChild } from "../../../server/workspace/child.ts";
import { children } from "../../../server/workspace/children.ts";
import {
  eventually,
  eventuallyAsync,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let app: RunningApp;
const tokens: Record<string, string> = {};
let ended = 0;
/** Waits until that many programs run or wait for a place. */
const programs = (count: number) =>
  eventually(() => children.load.used + children.load.waiting === count, `${count} programs`);

/** Runs a program that ends when the file is there. */
const work = defineTool({
  name: "work",
  title: "Work",
  description: "Runs a program",
  scope: "code:read",
  input: z.object({ until: z.string() }),
  output: z.object({ code: z.int().nullable() }),
  run: async ({ until }, { signal }) => {
    const script = `while [ ! -e "${join(folder.path, until)}" ]; do sleep 0.02; done`;
    const { code } = await runChild("/bin/sh", ["-c", script], { cwd: "/", timeoutMs: 100_000, signal });
    ended++;
    return { code };
  },
});

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  await writeFile(join(folder.path, "now"), "");
  const TOKENS_FILE = join(folder.path, "tokens.json");
  for (const name of ["greedy", "modest", "third"])
    await tokenCommand({ TOKENS_FILE }, (text) => {
      tokens[name] = JSON.parse(text).token;
    }).parseAsync(["create", "--name", name, "--json"], { from: "user" });
  const env = { AUTH_MODE: "token", TOKENS_FILE, WORKSPACE_DIR: join(folder.path, "workspace") };
  const limits = { CALLS_PER_TOKEN: "6", LISTENS_PER_TOKEN: "2", RESOURCES_PER_TOKEN: "3" };
  app = await startApp({ ...env, ...limits }, { tools: [work], keepAliveMs: 50 });
});
afterAll(async () => {
  await app.app.close();
  await folder.remove();
});

const bearer = (name: string) => ({ authorization: `Bearer ${tokens[name]}` });
const call = (name: string, until: string, signal?: AbortSignal) =>
  fetch(`${app.origin}/api/tools/work`, {
    method: "POST",
    headers: { ...JSON_HEADERS, ...bearer(name) },
    body: JSON.stringify({ until }),
    ...(signal ? { signal } : {}),
  });

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const listen = (name: string, uris: string[] = []) => {
  const notifications = { toolsListChanged: true, resourceSubscriptions: uris };
  const params = { notifications, _meta: META };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
  return rpc(
    app.origin,
    { jsonrpc: "2.0", id: 9, method: "subscriptions/listen", params },
    { ...bearer(name), ...headers },
  );
};

describe("one greedy token", () => {
  test("gets its share of the programs; another token's calls run at once, in either protocol", async () => {
    const calls = Array.from({ length: 6 }, () => call("greedy", "later"));
    await programs(6);
    const over = await call("greedy", "later");
    expect(over.status).toBe(429);
    expect(over.headers.get("retry-after")).toBe("1");
    expect(await over.json()).toMatchObject({
      error: expect.stringMatching(/has 6 in progress.*CALLS_PER_TOKEN/),
    });
    for (let n = 0; n < 5; n++) expect(await (await call("modest", "now")).json()).toEqual({ code: 0 });
    const session = {
      ...bearer("modest"),
      "mcp-session-id": await openSession(app.origin, bearer("modest")),
    };
    const params = { name: "work", arguments: { until: "now" } };
    const answer = await rpc(app.origin, { jsonrpc: "2.0", id: 2, method: "tools/call", params }, session);
    expect(await answer.text()).toContain('"code":0');
    // None of the greedy ones had to end for that.
    expect(ended).toBe(6);
    await writeFile(join(folder.path, "later"), "");
    expect((await Promise.all(calls)).map((r) => r.status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test("may not read more resources or prompts at once than the limit of calls", async () => {
    const release = Array.from({ length: 6 }, () => call("third", "third"));
    await programs(6);
    const session = { ...bearer("third"), "mcp-session-id": await openSession(app.origin, bearer("third")) };
    const ask = async (method: string, params: object) =>
      (await rpc(app.origin, { jsonrpc: "2.0", id: 4, method, params }, session)).text();
    const words = /"error":.*Too many calls at once: this token has 6 in progress/;
    expect(await ask("resources/read", { uri: "repo://sample/README.md" })).toMatch(words);
    expect(await ask("prompts/get", { name: "onboard", arguments: {} })).toMatch(words);
    await writeFile(join(folder.path, "third"), "");
    await Promise.all(release);
    expect(await ask("resources/read", { uri: "repo://sample/README.md" })).toContain("needle");
    expect(await ask("prompts/get", { name: "onboard", arguments: {} })).toContain("tour");
  });

  test("releases its place in the queue and its count when its client has disconnected", async () => {
    const gone = new AbortController();
    const calls = Array.from({ length: 6 }, () => call("greedy", "never", gone.signal).catch(() => "gone"));
    await programs(6);
    gone.abort();
    expect(await Promise.all(calls)).toEqual(Array(6).fill("gone"));
    await programs(0);
    await eventuallyOk(() => call("greedy", "now"));
  });

  test("reaches its limit of streams and resources; another token still has its own", async () => {
    const [one, two] = [await listen("greedy"), await listen("greedy", ["repo://sample/README.md"])];
    expect([one.status, two.status]).toEqual([200, 200]);
    const third = await listen("greedy");
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({
      error: { message: expect.stringMatching(/2 subscriptions\/listen streams open.*LISTENS_PER_TOKEN/) },
    });
    const other = await listen("modest");
    expect(other.status).toBe(200);
    await one.body?.cancel();
    const again = await eventuallyOk(() => listen("greedy"));
    const files = ["README.md", "src/main.ts", "src/deep/other.ts"].map((path) => `repo://sample/${path}`);
    await again.body?.cancel();
    await eventuallyAnswer(/may follow 3 at once.*RESOURCES_PER_TOKEN/, () => listen("greedy", files));
    for (const open of [two, other]) await open.body?.cancel();
  });

  test("follows each resource once, however it is spelled; the limit holds in sessions too", async () => {
    const session = {
      ...bearer("third"),
      "mcp-session-id": await openSession(app.origin, bearer("third")),
    };
    const subscribe = async (uri: string) => {
      const body = { jsonrpc: "2.0", id: 3, method: "resources/subscribe", params: { uri } };
      return (await rpc(app.origin, body, session)).text();
    };
    for (const path of ["README.md", "/README.md", "//README.md", "./README.md", "%52EADME.md"])
      expect(await subscribe(`repo://sample/${path}`)).toContain('"result":{}');
    expect(await subscribe("repo://sample/src/main.ts")).toContain('"result":{}');
    expect(await subscribe("repo://sample/.gitignore")).toContain('"result":{}');
    expect(await subscribe("repo://sample/src/deep/other.ts")).toMatch(/-32602.*may follow 3 at once/);
  });
});

/** Sends until it is refused in these words: the end of a stream arrives a moment after the client has closed it. */
async function eventuallyAnswer(words: RegExp, send: () => Promise<Response>): Promise<void> {
  await eventuallyAsync(async () => {
    const response = await send();
    if (response.status === 429) return words.test(await response.text());
    await response.body?.cancel();
    return false;
  }, `an answer like ${words}`);
}

/** Sends until it is answered: a place is given back a moment after the client has left. */
function eventuallyOk(send: () => Promise<Response>): Promise<Response> {
  return eventuallyAsync(async () => {
    const response = await send();
    if (response.status === 200) return response;
    await response.body?.cancel();
    return undefined;
  }, "the place to be given back");
}

test.each([
  ["101 messages", 101, "more than the 100"],
  ["11 cancellations", 11, "more than the 10"],
])("a batch of %s is refused whole", async (_, count, words) => {
  const one = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  const body = Array.from({ length: count }, () => (count > 100 ? ping : one));
  const answer = await rpc(app.origin, body, bearer("modest"));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: -32_600, message: expect.stringContaining(words) },
  });
});
