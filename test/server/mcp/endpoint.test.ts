import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { tokenCommand } from "../../../server/auth/token-command.ts";
import {
  eventually,
  INITIALIZE,
  JSON_HEADERS,
  makeRepository,
  openSession,
  type RunningApp,
  readUntil,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let open: RunningApp;
let guarded: RunningApp;
let tokens: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  const tokensFile = join(folder.path, "tokens.json");
  tokens = [];
  for (const name of ["one", "two"])
    await tokenCommand({ TOKENS_FILE: tokensFile }, (text) => tokens.push(JSON.parse(text).token)).parseAsync(
      ["create", "--name", name, "--json"],
      { from: "user" },
    );
  const workspace = { WORKSPACE_DIR: join(folder.path, "workspace") };
  open = await startApp({ ...workspace, ALLOWED_ORIGINS: "https://chat.example" }, { keepAliveMs: 50 });
  guarded = await startApp({ ...workspace, PUBLIC_URL: "https://mcp.example.com", TOKENS_FILE: tokensFile });
});
afterAll(async () => {
  await open.app.close();
  await guarded.app.close();
  await folder.remove();
});

const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list", params: {} };
const bearer = (n: number) => ({ authorization: `Bearer ${tokens[n]}` });

/** Status, headers and body of a request whose Host header is ours to choose (fetch forbids that). */
function raw(
  origin: string,
  options: { method: string; path: string; headers: Record<string, string> },
  body = "",
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>(
    (resolve, reject) => {
      const { port } = new URL(origin);
      const sent = request({ host: "127.0.0.1", port, ...options, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    },
  );
}

describe("access to /mcp", () => {
  test.each(["POST", "GET", "DELETE"])(
    "%s without a token gets 401 with a plain Bearer challenge",
    async (method) => {
      const response = await fetch(`${guarded.origin}/mcp`, { method, headers: JSON_HEADERS });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { code: -32_001 }, id: null });
    },
  );

  test("a wrong token gets 401 with invalid_token, before the body is read", async () => {
    const response = await rpc(guarded.origin, "x".repeat(100_000), { authorization: "Bearer mcp_wrong" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(response.headers.get("www-authenticate")).not.toContain("resource_metadata");
  });

  test("a session belongs to the token that opened it", async () => {
    const session = await openSession(guarded.origin, bearer(0));
    const call = (n: number) => rpc(guarded.origin, LIST, { ...bearer(n), "mcp-session-id": session });
    expect((await call(0)).status).toBe(200);
    const stranger = await call(1);
    expect(stranger.status).toBe(404);
    expect(await stranger.json()).toMatchObject({ error: { code: -32_001, message: "Session not found" } });
  });

  test("a server without OAuth has no OAuth metadata", async () => {
    for (const path of [
      "oauth-protected-resource",
      "oauth-protected-resource/mcp",
      "oauth-authorization-server",
    ])
      expect((await fetch(`${guarded.origin}/.well-known/${path}`)).status).toBe(404);
  });

  test.each([
    ["mcp.example.com", 200],
    ["mcp.example.com:443", 200],
    ["127.0.0.1:1", 200],
    ["evil.example", 403],
    ["mcp.example.com.evil.example", 403],
  ])("a request with Host: %s gets %s", async (host, status) => {
    const body = JSON.stringify(LIST);
    const headers = { ...JSON_HEADERS, ...bearer(0), host, "content-length": String(body.length) };
    expect((await raw(guarded.origin, { method: "POST", path: "/mcp", headers }, body)).status).toBe(status);
    expect((await raw(guarded.origin, { method: "GET", path: "/", headers: { host } })).status).toBe(status);
  });

  test.each([
    ["https://chat.example", 200],
    ["http://localhost:6274", 200],
    ["https://evil.example", 403],
    ["null", 403],
  ])("a request with Origin: %s gets %s", async (origin, status) => {
    const response = await rpc(open.origin, LIST, { origin });
    expect(response.status).toBe(status);
    await response.text();
  });
});

describe("requests", () => {
  test.each(["/mcp", "/mcp/"])("%s is the endpoint", async (path) => {
    const response = await fetch(`${open.origin}${path}`, {
      method: "POST",
      headers: JSON_HEADERS,
      body: JSON.stringify(LIST),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("search_text");
  });

  test.each(["PUT", "PATCH", "OPTIONS", "HEAD"])("%s gets 405 with Allow", async (method) => {
    const response = await fetch(`${open.origin}/mcp`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, POST, DELETE");
  });

  test.each([
    ["broken JSON", "{", "application/json", 400, -32_700],
    ["an empty body", "", "application/json", 400, -32_600],
    ["another content type", "a=b", "application/x-www-form-urlencoded", 415, -32_000],
    ["JSON that is no JSON-RPC", '{"hello":1}', "application/json", 400, -32_600],
    ["more than 256 KiB", `"${"x".repeat(256 * 1024)}"`, "application/json", 413, -32_000],
  ])("%s gets a JSON-RPC error", async (_, body, type, status, code) => {
    const response = await rpc(open.origin, body, { "content-type": type });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { code } });
  });

  test.each([
    ["mcp-method", { "mcp-method": "tools/list", "mcp-name": "read_file" }],
    ["mcp-name", { "mcp-method": "tools/call", "mcp-name": "search_text" }],
    ["no mcp-name", { "mcp-method": "tools/call" }],
    [
      "mcp-protocol-version",
      { "mcp-method": "tools/call", "mcp-name": "read_file", "mcp-protocol-version": "2099-01-01" },
    ],
  ])("a 2026 request whose headers disagree with its body is refused: %s", async (_, headers) => {
    const body = {
      ...LIST,
      method: "tools/call",
      params: {
        name: "read_file",
        arguments: { path: "README.md" },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    };
    const send = (more: Record<string, string>) =>
      rpc(open.origin, body, { "mcp-protocol-version": "2026-07-28", ...more });
    const fine = await send({ "mcp-method": "tools/call", "mcp-name": "read_file" });
    expect(await fine.text()).toContain("haystack");
    const response = await send(headers as Record<string, string>);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32_020 } });
  });

  test("without a session, a POST is answered, and GET and DELETE get 405", async () => {
    expect(await (await rpc(open.origin, LIST)).text()).toContain("search_text");
    for (const method of ["GET", "DELETE"]) {
      const response = await fetch(`${open.origin}/mcp`, {
        method,
        headers: { accept: "text/event-stream" },
      });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    }
  });

  test("an unknown session and a deleted one get 404", async () => {
    expect((await rpc(open.origin, LIST, { "mcp-session-id": "nobody" })).status).toBe(404);
    const session = { "mcp-session-id": await openSession(open.origin) };
    expect((await fetch(`${open.origin}/mcp`, { method: "DELETE", headers: session })).status).toBe(200);
    expect((await rpc(open.origin, LIST, session)).status).toBe(404);
  });

  // Node's fetch cannot send a Content-Length of its own, nor an empty chunked body.
  test.each([
    ["JSON", { "content-type": "application/json" }],
    ["JSON of length 0", { "content-type": "application/json; charset=utf-8", "content-length": "0" }],
    ["JSON, chunked", { "content-type": "application/json", "transfer-encoding": "chunked" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    [
      "a form, chunked",
      { "content-type": "multipart/form-data; boundary=x", "transfer-encoding": "chunked" },
    ],
    ["text, chunked", { "content-type": "text/plain", "transfer-encoding": "chunked" }],
    ["no type, chunked", { "transfer-encoding": "chunked" }],
    ["a malformed type", { "content-type": "json" }],
    ["no type", {}],
  ])("DELETE without a body and with the Content-Type of %s ends the session", async (_, headers) => {
    const session = { "mcp-session-id": await openSession(open.origin) };
    const options = { method: "DELETE", path: "/mcp", headers: { ...headers, ...session } };
    expect((await raw(open.origin, options)).status).toBe(200);
    expect((await rpc(open.origin, LIST, session)).status).toBe(404);
  });

  test("a header that is sent twice is accepted if both values are equal", async () => {
    const id = await openSession(open.origin);
    const twice = { "mcp-session-id": `${id}, ${id}`, "mcp-protocol-version": "2025-11-25, 2025-11-25" };
    expect((await rpc(open.origin, LIST, twice)).status).toBe(200);
    const two = { "mcp-session-id": id, "mcp-protocol-version": "2025-11-25, 2025-06-18" };
    expect((await rpc(open.origin, LIST, two)).status).toBe(400);
  });

  test("other paths get 404 with the path of the endpoint", async () => {
    const response = await fetch(`${open.origin}/nothing`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: "Not found; the MCP endpoint is /mcp" });
  });
});

describe("streams", () => {
  test("the notification stream opens at once, is kept alive, and can be reopened right after it broke", async () => {
    const session = await openSession(open.origin);
    const headers = { accept: "text/event-stream", "mcp-session-id": session };
    for (let round = 0; round < 2; round++) {
      const stream = await fetch(`${open.origin}/mcp`, { headers });
      expect(stream.status).toBe(200);
      expect(stream.headers.get("x-accel-buffering")).toBe("no");
      const text = await readUntil(stream, (t) => t.length > ": open\n\n".length);
      expect(text).toMatch(/^: open\n\n: /);
      await eventually(() => open.app.streams.size === 0, "the stream to be dropped");
    }
    const line = open.logs.find(
      (l) => l.msg === "stream" && l.session === session && l.disconnect_reason !== "completed",
    );
    expect(line).toMatchObject({ route: "/mcp", disconnect_reason: "client_closed" });
  });

  test("the response to initialize has the session's id, and is JSON where the client reads JSON", async () => {
    const response = await rpc(open.origin, INITIALIZE);
    expect(response.headers.get("mcp-session-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({ id: 1, result: { protocolVersion: "2025-11-25" } });
  });

  test("the response to initialize begins with a comment where the client reads only streams", async () => {
    const response = await rpc(open.origin, INITIALIZE, { accept: "text/event-stream" });
    expect(response.headers.get("mcp-session-id")).toMatch(/^[0-9a-f-]{36}$/);
    // Since 2025-11-25 an event without data follows, from which a client can resume.
    expect(await response.text()).toMatch(
      /^: open\n\nid: 0~\S+\nretry: 500\ndata: \n\nevent: message\nid: 1~/,
    );
  });
});

describe("the other routes", () => {
  test("/readyz has one boolean and timed checks, and no paths of the machine", async () => {
    const response = await fetch(`${guarded.origin}/readyz`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      ready: true,
      draining: false,
      checks: { workspace: { ok: true }, ripgrep: { ok: true }, tokens: { ok: true } },
    });
    expect(text).not.toContain(folder.path);
  });

  test("/ explains how to connect, under the public name", async () => {
    const response = await fetch(`${guarded.origin}/`);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toContain("https://mcp.example.com/mcp");
  });

  test("a workspace without a repository is not ready", async () => {
    await using empty = await startApp({ WORKSPACE_DIR: join(folder.path, "nowhere") });
    const response = await fetch(`${empty.origin}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ ready: false, checks: { workspace: { ok: false } } });
    expect((await empty.app.readiness.probe()).checks.workspace?.detail).toContain("git clone URL");
  });
});
