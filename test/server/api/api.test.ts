import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { findSwaggerUi } from "../../../server/api/swagger-ui.ts";
import { ToolError } from "../../../server/tool-error.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { defineTool, type Tool } from "../../../server/tools/tool.ts";
import { makeToken } from "../auth/support.ts";
import { eventually, makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

const tool = (name: string, run: Tool["run"], more: Partial<Tool> = {}): Tool => ({
  ...defineTool({
    name,
    title: name,
    description: `The tool <${name}>.`,
    scope: "code:read",
    input: z.object({ n: z.int().min(1).default(1) }),
    output: z.object({ n: z.int() }),
    run: async () => ({ n: 0 }),
  }),
  ...more,
  run,
});

let begun = false;
const hang = tool("hang", async (_args, { signal }) => {
  begun = true;
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let env: Record<string, string>;
let running: RunningApp;
let bearer: Record<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "workspace", "sample"));
  env = {
    WORKSPACE_DIR: join(folder.path, "workspace"),
    TOKENS_FILE: join(folder.path, "tokens.json"),
    AUTH_MODE: "token",
  };
  running = await startApp(env, {
    tools: [
      ...TOOLS,
      tool("twice", async (args) => ({ n: 2 * (args as { n: number }).n })),
      tool("refuse", async () => {
        throw new ToolError("Write it otherwise.");
      }),
      tool("break", async () => {
        throw new Error("the secret cause");
      }),
      tool("vectors", async () => ({ n: 1 }), { needs: ["embeddings"] }),
      tool("operate", async () => ({ n: 1 }), { scope: "ops" }),
      hang,
    ],
  });
  bearer = { authorization: `Bearer ${(await makeToken(env)).token}` };
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await folder.remove();
});

const call = (name: string, body?: unknown, headers: Record<string, string> = bearer) =>
  fetch(`${running.origin}/api/tools/${name}`, {
    method: "POST",
    ...(body === undefined
      ? { headers }
      : { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) }),
  });

describe("POST /api/tools/:name", () => {
  test("returns the same result as over MCP", async () => {
    const response = await call("search_text", { query: "needle", path: "src" });
    expect(response.status).toBe(200);
    const answer = await response.json();
    const overMcp = await rpc(
      running.origin,
      {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "search_text", arguments: { query: "needle", path: "src" } },
      },
      bearer,
    );
    const text = await overMcp.text();
    const message = JSON.parse(text.includes("data: ") ? (/^data: (.*)$/m.exec(text)?.[1] ?? "") : text);
    expect(message.result.structuredContent).toEqual(answer);
  });

  test("defaults apply, also without a body", async () => {
    expect(await (await call("twice")).json()).toEqual({ n: 2 });
    expect(await (await call("twice", { n: 4 })).json()).toEqual({ n: 8 });
  });

  test.each([
    ["a wrong argument", { n: "three" }, "n"],
    ["no object", [1], ""],
  ])("%s: 400 with each problem", async (_, body, path) => {
    const response = await call("twice", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: expect.stringContaining("/api#twice"),
      request_id: expect.any(String),
      problems: [{ path, message: expect.any(String) }],
    });
  });

  test.each([
    ["refuse", 422, "Write it otherwise."],
    ["break", 500, "Internal server error"],
    ["vectors", 503, "vectors needs embeddings, which is not available now"],
    [
      "operate",
      403,
      "This needs the scope ops. Connect again and allow it, or make a token: token create --scopes ops --name NAME",
    ],
    ["nothing", 404, "There is no such tool; see GET /api/tools"],
  ])("%s: %i", async (name, status, error) => {
    const response = await call(name, {});
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error, request_id: expect.any(String) });
  });

  test("a tool becomes available when its capability does", async () => {
    running.app.capabilities.set("embeddings", true, "for this test");
    expect((await call("vectors", {})).status).toBe(200);
    running.app.capabilities.set("embeddings", false, "no more");
    expect((await call("vectors", {})).headers.get("retry-after")).toBe("30");
  });

  test("GET: 405 and Allow; a body that is no JSON: 400; one that is too large: 413", async () => {
    const got = await fetch(`${running.origin}/api/tools/twice`, { headers: bearer });
    expect(got.status).toBe(405);
    expect(got.headers.get("allow")).toBe("POST");
    const raw = (body: string) =>
      fetch(`${running.origin}/api/tools/twice`, {
        method: "POST",
        headers: { ...bearer, "content-type": "application/json" },
        body,
      });
    expect((await raw("{")).status).toBe(400);
    expect((await raw(`"${"x".repeat(262_143)}"`)).status).toBe(413);
  });

  test("a request without a token, from another origin or for another host is refused", async () => {
    const none = await call("twice", {}, {});
    expect(none.status).toBe(401);
    expect(none.headers.get("www-authenticate")).toBe("Bearer");
    expect(await none.json()).toMatchObject({ error: expect.stringContaining("bearer token") });
    expect((await call("twice", {}, { ...bearer, origin: "https://evil.example" })).status).toBe(403);
    const rebound = await running.app.http.inject({
      method: "POST",
      url: "/api/tools/twice",
      headers: { ...bearer, host: "evil.example" },
    });
    expect(rebound.statusCode).toBe(403);
  });

  test("a client that disconnects ends its call", async () => {
    const leaving = new AbortController();
    const answer = fetch(`${running.origin}/api/tools/hang`, {
      method: "POST",
      headers: bearer,
      signal: leaving.signal,
    });
    await eventually(() => begun, "the call to begin");
    leaving.abort();
    await expect(answer).rejects.toThrow();
    const line = await eventually(
      () => running.logs.find((l) => l.path === "/api/tools/hang" && l.msg === "request"),
      "its log line",
    );
    expect(line).toMatchObject({ aborted: true });
    expect((await running.app.http.inject("/metrics")).body).toContain(
      'mcp_edge_tool_calls_total{tool="hang",outcome="cancelled"} 1',
    );
  });
});

test("GET /api/tools lists the tools that the caller may use now, with their schemas", async () => {
  const response = await fetch(`${running.origin}/api/tools`, { headers: bearer });
  const { tools } = (await response.json()) as { tools: { name: string; inputSchema: unknown }[] };
  // The index is not built here: what needs it is not offered.
  const offered = TOOLS.filter((t) => !t.needs?.includes("index")).map((t) => t.name);
  expect(tools.map((t) => t.name)).toEqual([...offered, "twice", "refuse", "break", "hang"]);
  expect(tools.find((t) => t.name === "twice")?.inputSchema).toEqual({
    type: "object",
    properties: { n: { type: "integer", minimum: 1, default: 1 } },
  });
});

describe("descriptions", () => {
  test("the OpenAPI document names every tool, its schemas, its errors and the token; it needs none itself", async () => {
    const document = (await (await fetch(`${running.origin}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, { post?: Record<string, unknown>; get?: unknown }>;
      components: { schemas: Record<string, unknown>; securitySchemes: unknown };
    };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toContain("/api/tools/search_text");
    expect(Object.keys(document.paths).every((path) => !path.includes(":"))).toBe(true);
    expect(document.components.securitySchemes).toEqual({ token: { type: "http", scheme: "bearer" } });
    expect(Object.keys(document.components.schemas)).toEqual(["Error"]);
    expect(document.paths["/api/tools/read_file"]?.post).toMatchObject({
      operationId: "read_file",
      requestBody: {
        content: {
          "application/json": { schema: { required: ["path"], properties: { path: { type: "string" } } } },
        },
      },
      responses: {
        200: { content: { "application/json": { schema: { properties: { text: { type: "string" } } } } } },
        422: { content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } },
      },
    });
  });

  test("the page has no scripts and no external resources, and its policy forbids both", async () => {
    const response = await fetch(`${running.origin}/api`);
    const policy = response.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    const text = await response.text();
    expect(text).not.toMatch(/<script|<img|src=|<link (?!rel="stylesheet" href="\/assets\/)/i);
    expect(text).toContain("The tool &#60;twice&#62;.");
    expect(text).toContain(`curl ${running.origin}/api/tools/read_file`);
    expect(text).toContain("Authorization: Bearer $MCP_TOKEN");
  });
});

describe("Swagger UI", () => {
  test("at /api/docs: every file that its page names is there, and the document is this server's", async () => {
    for (const path of ["/api/docs", "/api/docs/"]) {
      const response = await fetch(running.origin + path);
      expect(response.status).toBe(200);
      const policy = response.headers.get("content-security-policy");
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      const named = [...(await response.text()).matchAll(/(?:href|src)="([^"]+)"/g)].map((m) => m[1] ?? "");
      expect(named.length).toBeGreaterThan(5);
      for (const name of named) {
        const url = new URL(name, response.url);
        const asset = await fetch(url);
        expect([url.origin, asset.status, name]).toEqual([running.origin, 200, name]);
        // A large answer that is not read keeps its connection, and with it the process.
        await asset.arrayBuffer();
      }
    }
    const initializer = await (
      await fetch(`${running.origin}/api/docs/static/swagger-initializer.js`)
    ).text();
    expect(initializer).toContain("url: resolveUrl('./json')");
    const document = await (await fetch(`${running.origin}/api/docs/json`)).json();
    expect(document).toEqual(await (await fetch(`${running.origin}/api/openapi.json`)).json());
  });

  test("serves no other file, and nothing for another host", async () => {
    for (const path of ["static/..%2f..%2fpackage.json", "%2e%2e/package.json", "static/", ".."])
      expect((await running.app.http.inject(`/api/docs/${path}`)).body).not.toContain('"dependencies"');
    const rebound = await running.app.http.inject({ url: "/api/docs/", headers: { host: "evil.example" } });
    expect(rebound.statusCode).toBe(403);
  });

  test("the release's own folder takes precedence over the package's; without either there is no page", async () => {
    const release = join(folder.path, "release");
    const node = join(release, "bin", "node");
    const elsewhere = `file://${folder.path}/server.mjs`;
    expect(findSwaggerUi(node, elsewhere)).toBeUndefined();
    expect(findSwaggerUi(node)).toMatch(/@fastify\/swagger-ui\/static$/);
    await mkdir(join(release, "swagger-ui"), { recursive: true });
    await writeFile(join(release, "swagger-ui", "swagger-ui-bundle.js"), "");
    expect(findSwaggerUi(node, elsewhere)).toBe(join(release, "swagger-ui"));
  });
});

describe("SERVE", () => {
  const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

  test("mcp: no /api", async () => {
    await using mcp = await startApp({ WORKSPACE_DIR: env.WORKSPACE_DIR ?? "", SERVE: "mcp" });
    expect((await rpc(mcp.origin, LIST)).status).toBe(200);
    for (const path of ["/api", "/api/tools", "/api/openapi.json"])
      expect((await fetch(mcp.origin + path)).status).toBe(404);
    expect(await (await fetch(mcp.origin)).text()).not.toContain("/api");
  });

  test("api: no /mcp", async () => {
    await using api = await startApp({ WORKSPACE_DIR: env.WORKSPACE_DIR ?? "", SERVE: "api" });
    const refused = await rpc(api.origin, LIST);
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining("SERVE=api") } });
    expect((await fetch(`${api.origin}/api/tools`)).status).toBe(200);
    expect((await fetch(`${api.origin}/readyz`)).status).toBe(200);
    const page = await (await fetch(api.origin)).text();
    expect(page).toContain('href="/api"');
    expect(page).not.toContain("/mcp");
  });
});
