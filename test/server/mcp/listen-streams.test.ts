import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import { makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";
import { EventReader } from "./instances.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
const tokens: string[] = [];
const root = () => join(folder.path, "workspace", "sample");
beforeAll(async () => {
  folder = await temporaryFolder();
  const files = Array.from({ length: 101 }, (_, i) => [`f/${i}.txt`, String(i)]);
  await makeRepository(root(), { ".gitignore": "secret.env\n", ...Object.fromEntries(files) });
  const tokensFile = join(folder.path, "tokens.json");
  for (const scopes of ["code:read", "ops"])
    await tokenCommand({ TOKENS_FILE: tokensFile }, (text) => tokens.push(JSON.parse(text).token)).parseAsync(
      ["create", "--name", scopes.replace(":", "-"), "--scopes", scopes, "--json"],
      { from: "user" },
    );
  running = await startApp({
    WORKSPACE_DIR: join(folder.path, "workspace"),
    AUTH_MODE: "token",
    TOKENS_FILE: tokensFile,
  });
});
afterAll(async () => {
  await running.app.close();
  await folder.remove();
});

const uris = (count: number) => Array.from({ length: count }, (_, i) => `repo://sample/f/${i}.txt`);

function listen(notifications: unknown, token = 0): Promise<Response> {
  return rpc(
    running.origin,
    {
      jsonrpc: "2.0",
      id: "listen-1",
      method: "subscriptions/listen",
      params: {
        notifications,
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    },
    {
      authorization: `Bearer ${tokens[token]}`,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen",
    },
  );
}

async function acknowledged(response: Response) {
  const events = new EventReader(response);
  const { message } = (await events.next()) ?? {};
  expect(message?.method).toBe("notifications/subscriptions/acknowledged");
  return { events, honored: message?.params?.notifications };
}

test("all of a hundred acknowledged files are followed", async () => {
  const named = uris(100);
  const { events, honored } = await acknowledged(await listen({ resourceSubscriptions: named }));
  expect(honored).toEqual({ resourceSubscriptions: named });
  await writeFile(join(root(), "f/99.txt"), "changed");
  expect((await events.next())?.message).toMatchObject({
    method: "notifications/resources/updated",
    params: { uri: "repo://sample/f/99.txt" },
  });
  await events.cut();
});

test("more files than a stream may follow are refused; a file that is named twice counts once", async () => {
  const refused = await listen({ resourceSubscriptions: uris(101) });
  expect(await refused.json()).toMatchObject({
    id: "listen-1",
    error: { code: -32_602, message: expect.stringContaining("more than the 100") },
  });
  const { events } = await acknowledged(
    await listen({ resourceSubscriptions: [...uris(100), ...uris(100)] }),
  );
  await events.cut();
});

test.each([
  ["a missing file", { resourceSubscriptions: ["repo://sample/nothing.txt", "repo://sample/f/1.txt"] }, 0],
  [
    "a file that is ignored",
    { resourceSubscriptions: ["repo://sample/secret.env", "repo://sample/f/1.txt"] },
    0,
  ],
  ["another scheme", { resourceSubscriptions: ["file:///etc/passwd", "repo://sample/f/1.txt"] }, 0],
])("%s is not acknowledged", async (_, notifications, token) => {
  const { events, honored } = await acknowledged(await listen(notifications, token));
  expect(honored).toEqual({ resourceSubscriptions: ["repo://sample/f/1.txt"] });
  await events.cut();
});

test("a token without the scope to read code follows no file", async () => {
  const { events, honored } = await acknowledged(
    await listen({ toolsListChanged: true, resourceSubscriptions: uris(3) }, 1),
  );
  expect(honored).toEqual({ toolsListChanged: true });
  await events.cut();
});

test.each([
  ["no filter", undefined],
  ["a filter that is a string", { resourceSubscriptions: "repo://sample/f/1.txt" }],
  ["names that are numbers", { resourceSubscriptions: [1, 2] }],
])("%s is refused by the SDK", async (_, notifications) => {
  expect(await (await listen(notifications)).json()).toMatchObject({ error: { code: -32_602 } });
});
