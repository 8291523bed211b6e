import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { makeToken } from "../auth/support.ts";
import { type RunningApp, startApp, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  env = {
    WORKSPACE_DIR: folder.path,
    TOKENS_FILE: join(folder.path, "tokens.json"),
    AUTH_MODE: "token",
  };
  running = await startApp(env);
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await folder.remove();
});

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${running.origin}${path}`, { headers });
const REMOTE = { "x-forwarded-for": "192.0.2.1" };

describe.each(["/metrics", "/capz"])("%s", (path) => {
  test("is open to the machine itself", async () => expect((await ask(path)).status).toBe(200));

  test.each([
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
    { "x-real-ip": "127.0.0.1" },
  ])("is closed to requests through a proxy, whatever they claim: %j", async (headers) => {
    const response = await ask(path, headers as unknown as Record<string, string>);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toMatchObject({ error: expect.stringContaining("token") });
  });

  test("a token needs the scope ops", async () => {
    const reader = await makeToken(env);
    const refused = await ask(path, { ...REMOTE, authorization: `Bearer ${reader.token}` });
    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toBe('Bearer error="insufficient_scope", scope="ops"');
    const operator = await makeToken(env, "--scopes", "ops");
    const response = await ask(path, { ...REMOTE, authorization: `Bearer ${operator.token}` });
    expect(response.status).toBe(200);
  });

  test("a page with DNS rebinding is refused", async () => {
    const response = await running.app.http.inject({ url: path, headers: { host: "evil.example" } });
    expect(response.statusCode).toBe(403);
  });
});

test("in none mode, no remote caller has the scope", async () => {
  await using open = await startApp({ WORKSPACE_DIR: folder.path });
  expect((await fetch(`${open.origin}/metrics`, { headers: REMOTE })).status).toBe(403);
});

test("/capz returns a snapshot with an ETag, and what each tool lacks", async () => {
  const first = await ask("/capz");
  const body = (await first.json()) as { stamp: string; tools: unknown[]; capabilities: unknown[] };
  expect(first.headers.get("etag")).toBe(`"${body.stamp}"`);
  expect(body.capabilities).toContainEqual({ name: "ripgrep", available: true, why: expect.any(String) });
  expect(body.tools).toContainEqual({ name: "search_text", available: true, missing: [] });
  expect((await ask("/capz", { "if-none-match": `"${body.stamp}"` })).status).toBe(304);
  running.app.capabilities.set("of this test", false, "new");
  const second = await ask("/capz", { "if-none-match": `"${body.stamp}"` });
  expect(second.status).toBe(200);
  expect(await second.json()).toMatchObject({ stamp: expect.not.stringMatching(body.stamp) });
});

test.each([
  ["/metrics", "GET"],
  ["/demo/stream", "GET"],
  ["/readyz", "GET, HEAD"],
  ["/", "GET, HEAD"],
  ["/api/docs/", "GET, HEAD"],
])("POST %s: 405 with Allow", async (path, allow) => {
  const response = await fetch(`${running.origin}${path}?q=1`, { method: "POST", body: "x" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
  expect(await response.json()).toMatchObject({
    error: `Method not allowed; ${path} takes ${allow}; the MCP endpoint is /mcp`,
  });
});

test("an unknown path: 404, whatever the method", async () => {
  for (const method of ["GET", "POST", "DELETE"])
    expect((await fetch(`${running.origin}/nothing`, { method })).status).toBe(404);
});

test("every timeout of the listener is set explicitly, and none cuts off a response", () => {
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = running.app.http.server;
  expect({ headersTimeout, requestTimeout, keepAliveTimeout, timeout }).toEqual({
    headersTimeout: 30_000,
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    timeout: 0,
  });
});
