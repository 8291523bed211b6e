import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { readConfig } from "../../../server/config/config.ts";
import { openTracing } from "../../../server/tracing/open.ts";
import type { Tracing } from "../../../server/tracing/tracing.ts";
import { eventually, makeRepository, type RunningApp, rpc, startApp, temporaryFolder } from "../support.ts";

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

const SECRET = "canary-51c0";
const ABOUT = { RELEASE: "r1", COLOUR: "blue" };
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

/** What the collector was sent. */
let received = "";
const spans = (): SentSpan[] =>
  received
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line).resourceSpans)
    .flatMap((resource) => resource.scopeSpans)
    .flatMap((scope) => scope.spans);

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

test("a tool call: the request's span under the caller's, the tool's under it, the ids of the log line", async () => {
  const response = await rpc(
    running.origin,
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: call },
    { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`, authorization: `Bearer ${SECRET}` },
  );
  await response.text();
  const tool = await eventually(() => spans().find((s) => s.name === "execute_tool search_text"), "its span");
  const request = await eventually(() => spans().find((s) => s.spanId === tool.parentSpanId), "its parent");
  expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: "00f067aa0ba902b7", name: "POST /mcp" });
  expect(tool.traceId).toBe(TRACE_ID);
  expect(response.headers.get("traceresponse")).toBe(`00-${TRACE_ID}-${request.spanId}-01`);
  const attributes = Object.fromEntries(request.attributes.map(({ key, value }) => [key, value]));
  expect(attributes).toMatchObject({
    "http.request.method": { stringValue: "POST" },
    "http.route": { stringValue: "/mcp" },
    "http.response.status_code": { intValue: 200 },
    "url.path": { stringValue: "/mcp" },
    "mcp_edge.colour": { stringValue: "blue" },
  });
  expect(received).toContain('"stringValue":"mcp-edge"');
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
