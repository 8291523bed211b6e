import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Origins, originEntryFor, parseOriginRule } from "../../../server/http/origins.ts";
import { type RunningApp, rpc, startApp } from "../support.ts";

describe("rules", () => {
  test.each([
    ["chat.example", "https://chat.example:8443", true],
    ["chat.example", "http://chat.example", true],
    ["chat.example", "https://chat.example.org", false],
    ["https://chat.example:8443", "https://chat.example:8443", true],
    ["https://chat.example:8443", "http://chat.example:8443", false],
    ["https://chat.example:8443", "https://chat.example", false],
    ["https://chat.example", "https://chat.example:443", true],
    ["https://chat.example", "https://CHAT.example", true],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://evilexample.com", false],
    ["https://*.example.com", "http://a.example.com", false],
    ["https://*.example.com:8443", "https://a.example.com:8443", true],
    ["vscode-webview://*", "vscode-webview://0f3c1", true],
    ["vscode-webview://*", "https://vscode-webview", false],
    ["chrome-extension://*", "chrome-extension://abcdefghijklmnop", true],
    ["chrome-extension://abc", "chrome-extension://abd", false],
    ["app://*", "app://obsidian.md", true],
    ["null", "null", true],
    ["chat.example", "null", false],
    ["chat.example", "no origin at all", false],
  ])("%s and %s: %s", (entry, origin, allowed) => {
    expect(new Origins([entry]).allows(origin)).toBe(allowed);
    expect(parseOriginRule(entry)).toBeDefined();
  });

  test.each(["https://", "https://*", "http://*", "*", "https://a.*.example", "https://*.", "://x"])(
    "%s is not an entry",
    (entry) => expect(parseOriginRule(entry)).toBeUndefined(),
  );

  test("a request without an origin is always allowed", () => {
    expect(new Origins([]).allows(undefined)).toBe(true);
  });

  test.each(["https://chat.example:8443", "vscode-webview://0f3c", "chrome-extension://abc", "null"])(
    "the entry proposed for %s allows it",
    (origin) => expect(new Origins([originEntryFor(origin)]).allows(origin)).toBe(true),
  );
});

describe("over HTTP", () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ ALLOWED_ORIGINS: "vscode-webview://*, https://chat.example" });
  });
  afterAll(() => running.app.close());
  const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

  test.each(["vscode-webview://0f3c", "https://chat.example", "http://localhost:6274"])(
    "%s is served, and its page may read the answer",
    async (origin) => {
      const response = await rpc(running.origin, LIST, { origin });
      await response.text();
      expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    },
  );

  test.each([
    ["chrome-extension://abcdefghijklmnop", "ALLOWED_ORIGINS=chrome-extension://*"],
    ["https://chatgpt.com", "ALLOWED_ORIGINS=https://chatgpt.com"],
    ["null", "ALLOWED_ORIGINS=null"],
  ])("%s is refused on /mcp and /api, and the error says how to allow it", async (origin, fix) => {
    const mcp = await rpc(running.origin, LIST, { origin });
    expect(mcp.status).toBe(403);
    expect(await mcp.json()).toMatchObject({ error: { message: expect.stringContaining(fix) } });
    const api = await fetch(`${running.origin}/api/tools`, { headers: { origin } });
    expect(api.status).toBe(403);
    expect(await api.json()).toMatchObject({ error: expect.stringContaining(fix) });
  });

  test("the error escapes control characters and truncates long origins", async () => {
    const response = await rpc(running.origin, LIST, { origin: `https://${"x".repeat(5_000)}` });
    expect((await response.text()).length).toBeLessThan(1_500);
  });
});
