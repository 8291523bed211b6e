import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { readConfig } from "../../../server/config/config.ts";
import { openTracing } from "../../../server/tracing/open.ts";
import type { Tracing } from "../../../server/tracing/tracing.ts";
import {
  eventually,
  makeRepository,
  openSession,
  type RunningApp,
  rpc,
  startApp,
  temporaryFolder,
} from "../support.ts";

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Attribute[];
  links?: { traceId: string; spanId: string }[];
  status: { code?: number };
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface SentMetric {
  name: string;
  unit: string;
  histogram: { dataPoints: { attributes: Attribute[]; count: number; explicitBounds: number[] }[] };
}

const SECRET = "canary-51c0";
const ABOUT = { RELEASE: "r1", COLOUR: "blue" };
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

/** What the collector was sent. */
let received = "";
const lines = () =>
  received
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const spans = (): SentSpan[] =>
  lines()
    .flatMap(({ resourceSpans = [] }) => resourceSpans)
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans);
const metrics = (name: string): SentMetric[] =>
  lines()
    .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
    .flatMap((resource) => resource.scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .filter((metric) => metric.name === name);
/** Attributes by name, each without its type. */
const valuesOf = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
/** The span of the message with this id. */
const spanOf = (id: string) =>
  eventually(
    () => spans().find((span) => valuesOf(span.attributes)["jsonrpc.request.id"] === id),
    `the span of ${id}`,
  );

const collector = createServer(async (request, response) => {
  received += `${await text(request)}\n`;
  response.setHeader("content-type", "application/json").end("{}");
});
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningApp;
let tracing: Tracing | undefined;
const before = { ...process.env };

beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(join(folder.path, "sample"));
  await new Promise<void>((ready) => collector.listen(0, "127.0.0.1", ready));
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_METRIC_EXPORT_INTERVAL: "200",
    OTEL_METRIC_EXPORT_TIMEOUT: "200",
  };
  Object.assign(process.env, settings);
  tracing = await openTracing(readConfig({ ...settings, ...ABOUT }));
  running = await startApp({ WORKSPACE_DIR: folder.path }, { tracing });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await tracing?.close();
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  collector.closeAllConnections();
  await new Promise((closed) => collector.close(closed));
  await folder.remove();
});

const call = { name: "search_text", arguments: { query: SECRET } };

test("a tool call: the message's span under the HTTP request's, that under the caller's, the ids of the log line", async () => {
  const response = await rpc(
    running.origin,
    { jsonrpc: "2.0", id: "call-1", method: "tools/call", params: call },
    { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`, authorization: `Bearer ${SECRET}` },
  );
  await response.text();
  const message = await spanOf("call-1");
  const request = await eventually(
    () => spans().find((s) => s.spanId === message.parentSpanId),
    "its parent",
  );
  expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: "00f067aa0ba902b7", name: "POST /mcp" });
  expect(message).toMatchObject({ traceId: TRACE_ID, name: "tools/call search_text", kind: 2 });
  expect(valuesOf(message.attributes)).toMatchObject({
    "mcp.method.name": "tools/call",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search_text",
    "network.protocol.name": "http",
    "network.protocol.version": "1.1",
    "network.transport": "tcp",
  });
  expect(response.headers.get("traceresponse")).toBe(`00-${TRACE_ID}-${request.spanId}-01`);
  expect(valuesOf(request.attributes)).toMatchObject({
    "http.request.method": "POST",
    "http.route": "/mcp",
    "http.response.status_code": 200,
    "url.path": "/mcp",
    "mcp_edge.colour": "blue",
  });
  expect(received).toContain('"stringValue":"mcp-edge"');
});

/** A message of either era, with a context in its `_meta`. */
async function send(era: string, id: string, method: string, params: Record<string, unknown> = {}) {
  const version = era === "2026" ? "2026-07-28" : "2025-11-25";
  const envelope = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const traceparent = `00-${era}${"a".repeat(28)}-00f067aa0ba902b7-01`;
  const _meta = { traceparent, tracestate: "vendor=1", ...(era === "2026" ? envelope : {}) };
  const name = typeof params.name === "string" ? { "mcp-name": params.name } : {};
  const headers = { "mcp-protocol-version": version, "mcp-method": method, ...name };
  const body = { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
  return (await rpc(running.origin, body, headers)).text();
}

describe.each(["2025", "2026"])("a message of the %s era", (era) => {
  test("whose `_meta` has a trace context has it as its parent, and links to the HTTP request", async () => {
    await send(era, `meta-${era}`, "tools/call", call);
    const message = await spanOf(`meta-${era}`);
    expect(message).toMatchObject({
      traceId: `${era}${"a".repeat(28)}`,
      parentSpanId: "00f067aa0ba902b7",
      traceState: "vendor=1",
    });
    const [link] = message.links ?? [];
    const request = await eventually(() => spans().find((s) => s.spanId === link?.spanId), "the HTTP span");
    expect(request.name).toBe("POST /mcp");
    expect(valuesOf(message.attributes)["mcp.protocol.version"]).toBe(
      era === "2026" ? "2026-07-28" : "2025-11-25",
    );
  });

  test.each([
    [
      "a result that is an error",
      "tools/call",
      { name: "read_file", arguments: { repo: "none", path: "x" } },
      "tool_error",
    ],
    ["an unknown tool", "tools/call", { name: "no_such_tool", arguments: {} }, "-32602"],
    ["an unknown method", "no/such_method", {}, "-32601"],
  ])("ends with %s", async (what, method, params, type) => {
    const id = `${what} ${era}`;
    await send(era, id, method, params);
    const { name, attributes, status } = await spanOf(id);
    expect(valuesOf(attributes)["error.type"]).toBe(type);
    expect(status.code).toBe(2);
    expect(name).not.toContain("no_such");
    if (type !== "tool_error") expect(valuesOf(attributes)["rpc.response.status_code"]).toBe(type);
  });

  test("other than a call has a span: a list, and a prompt by its name", async () => {
    await send(era, `list-${era}`, "tools/list");
    expect((await spanOf(`list-${era}`)).name).toBe("tools/list");
    await send(era, `prompt-${era}`, "prompts/get", { name: "onboard", arguments: { repo: "sample" } });
    const prompt = await spanOf(`prompt-${era}`);
    expect(prompt.name).toBe("prompts/get onboard");
    expect(valuesOf(prompt.attributes)).toMatchObject({ "gen_ai.prompt.name": "onboard" });
  });
});

test("a subscription that its client leaves has not failed, and a notification is a message too", async () => {
  const version = "2026-07-28";
  const method = "subscriptions/listen";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { notifications: { toolsListChanged: true }, _meta };
  const headers = { "mcp-protocol-version": version, "mcp-method": method };
  const response = await rpc(running.origin, { jsonrpc: "2.0", id: "listens", method, params }, headers);
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(valuesOf((await spanOf("listens")).attributes)).not.toHaveProperty("error.type");

  await openSession(running.origin);
  const initialized = await eventually(
    () => spans().find((span) => span.name === "notifications/initialized"),
    "the span of the notification",
  );
  expect(valuesOf(initialized.attributes)).not.toHaveProperty("error.type");
});

test("the durations of operations and sessions are sent as metrics with the recommended buckets", async () => {
  const session = await openSession(running.origin);
  await rpc(
    running.origin,
    { jsonrpc: "2.0", id: "in-session", method: "ping" },
    { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" },
  ).then((response) => response.text());
  expect(valuesOf((await spanOf("in-session")).attributes)["mcp.session.id"]).toBe(session);
  await fetch(`${running.origin}/mcp`, {
    method: "DELETE",
    headers: { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" },
  });
  const ended = await eventually(() => metrics("mcp.server.session.duration")[0], "a session");
  expect(ended).toMatchObject({ unit: "s", histogram: { dataPoints: [{ count: 1 }] } });
  const operations = await eventually(() => metrics("mcp.server.operation.duration").at(-1), "operations");
  const points = operations.histogram.dataPoints.map(({ attributes }) => valuesOf(attributes));
  expect(points).toContainEqual(
    expect.objectContaining({ "mcp.method.name": "tools/call", "gen_ai.tool.name": "search_text" }),
  );
  expect(points).toContainEqual(expect.objectContaining({ "error.type": "tool_error" }));
  expect(points).toContainEqual(expect.objectContaining({ "mcp.method.name": "_OTHER" }));
  expect(operations.histogram.dataPoints[0]?.explicitBounds).toEqual([
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
  ]);
});

test("a call through /api has the span of the tool", async () => {
  await fetch(`${running.origin}/api/tools/search_text`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(call.arguments),
  }).then((response) => response.text());
  const tool = await eventually(() => spans().find((s) => s.name === "execute_tool search_text"), "its span");
  const request = await eventually(() => spans().find((s) => s.spanId === tool.parentSpanId), "its parent");
  expect(request.name).toMatch(/^POST \/api\//);
});

test("a trace that begins here has the id of the log line; one that its caller does not record is not sent", async () => {
  await (await fetch(`${running.origin}/api/tools?token=${SECRET}`)).text();
  const line = await eventually(() => running.logs.find((l) => l.path === "/api/tools"), "the log line");
  const span = await eventually(() => spans().find((s) => s.name === "GET /api/tools"), "the span");
  expect(span.traceId).toBe(line.trace_id);
  expect(span.parentSpanId ?? "").toBe("");

  const unrecorded = "00-11111111111111111111111111111111-00f067aa0ba902b7-00";
  const response = await fetch(`${running.origin}/readyz`, { headers: { traceparent: unrecorded } });
  expect(response.headers.get("traceresponse")).toMatch(/^00-1{32}-[0-9a-f]{16}-00$/);
  await fetch(`${running.origin}/readyz`);
  await eventually(() => spans().some((s) => s.name === "GET /readyz"), "the one that is sent");
  expect(received).not.toContain("1".repeat(32));
});

test("no token, argument or query is in a span", () => {
  expect(received.length).toBeGreaterThan(0);
  expect(received).not.toContain(SECRET);
});

test("without a variable of OpenTelemetry, or with its switch off, there is no tracing", async () => {
  expect(await openTracing(readConfig({ PATH: "/bin", OTEL_SERVICE_NAME: " " }))).toBeUndefined();
  const off = { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
  expect(await openTracing(readConfig(off))).toBeUndefined();
});

test("nothing of OpenTelemetry's SDK is loaded at the server's start: only a dynamic import leads there", async () => {
  const { metafile } = await build({
    entryPoints: [resolve("server/main.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["@vscode/ripgrep"],
    outfile: "server.mjs",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const seen = new Set<string>();
  const visit = (path: string, dynamic: boolean): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const one of metafile.inputs[path]?.imports ?? [])
      if (!one.external && (dynamic || one.kind !== "dynamic-import")) visit(one.path, dynamic);
  };
  const start = Object.keys(metafile.inputs).find((path) => path.endsWith("server/main.ts")) ?? "";
  visit(start, false);
  // Its API alone is loaded: by prom-client, for its exemplars.
  const telemetry = () => [...seen].filter((path) => /@opentelemetry\/(?!api\/)/.test(path));
  expect(seen.size).toBeGreaterThan(100);
  expect(telemetry()).toEqual([]);
  seen.clear();
  visit(start, true);
  expect(telemetry().length).toBeGreaterThan(10);
});
