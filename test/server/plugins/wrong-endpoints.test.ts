import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { INITIALIZE, JSON_HEADERS, type RunningApp, startApp } from "../support.ts";

let open: RunningApp;
let guarded: RunningApp;
beforeAll(async () => {
  open = await startApp({});
  guarded = await startApp({ PUBLIC_URL: "https://mcp.example.com", AUTH_MODE: "token" });
});
afterAll(async () => {
  await open.app.close();
  await guarded.app.close();
});

const post = (path: string, body: unknown) =>
  fetch(`${open.origin}${path}`, { method: "POST", headers: JSON_HEADERS, body: JSON.stringify(body) });
const WHERE = expect.stringContaining("the MCP endpoint is /mcp");

describe("an MCP message to another path", () => {
  test.each([
    ["/", 405],
    ["/readyz", 405],
    ["/sse", 404],
    ["/mcp/sse", 404],
    ["/messages?sessionId=1", 404],
    ["/message", 404],
    ["/v1/mcp", 404],
    ["/api/mcp", 404],
  ])("POST %s: %i, a JSON-RPC error with the id that names /mcp", async (path, status) => {
    const response = await post(path, INITIALIZE);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", id: 1, error: { message: WHERE } });
  });

  test("a batch, a notification and an id of another kind get an error too", async () => {
    for (const [body, id] of [
      [[INITIALIZE], 1],
      [{ jsonrpc: "2.0", method: "notifications/initialized" }, null],
      [{ ...INITIALIZE, id: { a: 1 } }, null],
    ] as const)
      expect(await (await post("/nothing", body)).json()).toMatchObject({ jsonrpc: "2.0", id });
  });

  test("anything but an MCP message gets plain JSON", async () => {
    expect(await (await post("/nothing", { hello: 1 })).json()).toMatchObject({ error: WHERE });
  });
});

describe("a client of the transport of 2024-11-05", () => {
  const get = (path: string, accept = "text/event-stream") =>
    // A stream would last: the limit ends it.
    fetch(`${open.origin}${path}`, { headers: { accept }, signal: AbortSignal.timeout(60_000) });

  test.each([
    ["/sse", 404],
    ["/sse/", 404],
    ["/mcp/sse", 404],
    ["/", 406],
  ])("GET %s: %i at once, no stream", async (path, status) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: WHERE });
  });

  test("a browser still gets the page", async () => {
    const page = await get("/", "text/html,application/xhtml+xml,*/*;q=0.8");
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    await page.text();
  });
});

describe("a client that looks for an authorization server", () => {
  test.each([
    ["POST", "/register"],
    ["POST", "/mcp/register"],
    ["POST", "/token"],
    ["GET", "/authorize?client_id=x"],
    ["POST", "/oauth/register"],
    ["GET", "/.well-known/oauth-protected-resource/mcp"],
    ["GET", "/.well-known/oauth-authorization-server"],
    ["GET", "/.well-known/openid-configuration"],
  ])("%s %s: an OAuth error that says how to send a token", async (method, path) => {
    const response = await fetch(`${guarded.origin}${path}`, {
      method,
      ...(method === "POST"
        ? { headers: JSON_HEADERS, body: '{"redirect_uris":["http://localhost/x"]}' }
        : {}),
    });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: "invalid_request",
      error_description: expect.stringContaining("Authorization: Bearer mcp_"),
    });
  });

  test("where no token is needed, the error says so", async () => {
    const response = await post("/register", { redirect_uris: [] });
    expect(await response.json()).toMatchObject({ error_description: expect.stringContaining("needs none") });
  });
});

test("a request without a body is no parse error on /api either", async () => {
  const headers = { "content-type": "application/json" };
  const called = await fetch(`${open.origin}/api/tools/list_repos`, { method: "POST", headers });
  expect(called.status).toBe(200);
  await called.text();
  const deleted = await fetch(`${open.origin}/api/tools/list_repos`, { method: "DELETE", headers });
  expect(deleted.status).toBe(405);
});
