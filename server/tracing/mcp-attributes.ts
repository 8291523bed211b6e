import type { Attributes } from "@opentelemetry/api";
import type { HttpExchange } from "../mcp/http-exchange.ts";
import { httpVersionOf, REVISIONS } from "../metrics/request-sample.ts";

/** The methods of all revisions. Clients send others, and must not create time series. */
const METHODS = new Set([
  "completion/complete",
  "initialize",
  "logging/setLevel",
  "notifications/cancelled",
  "notifications/initialized",
  "notifications/progress",
  "notifications/roots/list_changed",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/subscribe",
  "resources/templates/list",
  "resources/unsubscribe",
  "server/discover",
  "subscriptions/listen",
  "tools/call",
  "tools/list",
]);

/** Attributes of the HTTP request that all its messages have. Metrics have only those of few values. */
export function exchangeAttributes(
  http: HttpExchange,
  body: unknown,
): { span: Attributes; metric: Attributes } {
  const { request } = http;
  const version = httpVersionOf(request).replace("HTTP/", "").replace(/\.0$/, "");
  const metric: Attributes = {
    "network.protocol.name": "http",
    "network.protocol.version": version,
    "network.transport": version === "3" ? "quic" : "tcp",
  };
  const named = http.header("mcp-protocol-version") ?? initialized(body);
  if (named !== undefined && REVISIONS.has(named)) metric["mcp.protocol.version"] = named;
  const session = http.header("mcp-session-id");
  const span = { ...metric, "client.address": request.ip, ...(session ? { "mcp.session.id": session } : {}) };
  return { span, metric };
}

/** The revision that an `initialize` names. */
function initialized(body: unknown): string | undefined {
  const version = (body as { params?: { protocolVersion?: unknown } } | undefined)?.params?.protocolVersion;
  return typeof version === "string" ? version : undefined;
}

/**
 * The name of a message's span, and its attributes. No argument is among them, so no `mcp.resource.uri` either.
 *
 * @param tools the names of the tools there are
 */
export function messageAttributes(
  { method, id, params }: { method?: unknown; id?: unknown; params?: unknown },
  tools: ReadonlySet<string>,
): { name: string; span: Attributes; metric: Attributes; prompt: string | undefined } {
  const known = METHODS.has(String(method)) ? String(method) : "_OTHER";
  const metric: Attributes = { "mcp.method.name": known };
  const target = (params as { name?: unknown } | null | undefined)?.name;
  const tool = known === "tools/call" && typeof target === "string" && tools.has(target) ? target : undefined;
  if (known === "tools/call") metric["gen_ai.operation.name"] = "execute_tool";
  if (tool !== undefined) metric["gen_ai.tool.name"] = tool;
  const span = { ...metric };
  if (typeof id === "string" || typeof id === "number") span["jsonrpc.request.id"] = String(id).slice(0, 100);
  return {
    name: tool === undefined ? known : `${known} ${tool}`,
    span,
    metric,
    prompt: known === "prompts/get" && typeof target === "string" ? target : undefined,
  };
}
