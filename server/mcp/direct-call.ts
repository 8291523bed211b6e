import { type CallToolResult, LOG_LEVEL_META_KEY } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { jsonText } from "../json-text.ts";
import type { RequestId } from "../store/store.ts";
import { jsonSchemas, wireSchemas } from "../tools/arguments/wire-schema.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";
import { SERVER_INFO } from "../version.ts";
import { hasOnly, isObject, type PlainRequest } from "./plain-request.ts";
import { progressOf } from "./progress.ts";
import { isOffered, MAX_INPUT_ELEMENTS, type ServerParts } from "./server-parts.ts";
import { callTool } from "./tool-call.ts";

export type Era = "legacy" | "modern";

/** A `tools/call` that is ready to run. */
export interface DirectCall {
  readonly tool: Tool;
  readonly request: PlainRequest;
  /** As the tool's input schema returned them. */
  readonly args: Record<string, unknown>;
}

/** What the caller of a direct call hears of it, besides the result. */
export interface DirectListener {
  readonly signal: AbortSignal;
  /** Receives a notification as JSON text. */
  notify(text: string): void;
  /** The least severe log messages that the client wants; undefined: none. */
  readonly logLevel: string | undefined;
}

const PARAMS: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);

/** RFC 5424, as MCP names them, least severe first. */
const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/**
 * Prepares a `tools/call` to be run without the SDK, whose own way to a tool and back takes longer than most tools (see docs/performance.md).
 * The answer is the same: test/server/mcp/direct-call.test.ts compares the two. `DIRECT_CALLS=no` turns this off.
 *
 * @returns undefined for a request that the SDK must answer, for example because its arguments are refused
 */
export async function directCall(
  parts: ServerParts,
  principal: Principal,
  request: PlainRequest,
): Promise<DirectCall | undefined> {
  const { name, arguments: given = {} } = request.params;
  if (request.method !== "tools/call" || !hasOnly(request.params, PARAMS)) return undefined;
  if (!isObject(given) || isLarge(given)) return undefined;
  const tool = parts.tools.find((one) => one.name === name);
  if (!tool || namesHeaders(tool)) return undefined;
  if (!isOffered(parts, tool, principal)) return undefined;
  if (!parts.grants.access(principal).allows(tool) || parts.capabilities?.allow(tool) === false)
    return undefined;
  const checked = await wireSchemas(tool).input["~standard"].validate(given);
  return checked.issues ? undefined : { tool, request, args: checked.value };
}

/** Runs the call. @returns the response as JSON text */
export async function runDirect(
  parts: ServerParts,
  principal: Principal,
  { tool, request, args }: DirectCall,
  listener: DirectListener,
  era: Era,
): Promise<string> {
  const { signal } = listener;
  const notify = async (notification: { method: string; params: object }) =>
    listener.notify(JSON.stringify({ jsonrpc: "2.0", ...notification }));
  const log: ToolContext["log"] = (level, data) => {
    const { logLevel } = listener;
    if (logLevel !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(logLevel))
      void notify({ method: "notifications/message", params: { level, data, logger: tool.name } });
  };
  const context: ToolContext = {
    ...parts.context,
    workspace: parts.grants.access(principal).workspace(tool, parts.context.workspace),
    signal,
    progress: progressOf({ _meta: request.meta, signal, notify }),
    log,
  };
  const result = await callTool(tool, args, context, parts.log);
  return responseText(request.id, await checkedResult(tool, result), era);
}

/** A result that does not fit the tool's output schema becomes an error, with the SDK's words. */
async function checkedResult(tool: Tool, result: CallToolResult): Promise<CallToolResult> {
  if (result.isError) return result;
  const { issues } = await wireSchemas(tool).output["~standard"].validate(result.structuredContent);
  if (!issues) return result;
  const problems = issues.map(({ path, message }) =>
    path?.length
      ? `${path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")}: ${message}`
      : message,
  );
  const text = `Output validation error: Invalid structured content for tool ${tool.name}: ${problems.join(", ")}`;
  return { content: [{ type: "text", text }], isError: true };
}

/** What the result of each era has besides its content. */
const RESULT_END: Readonly<Record<Era, string>> = {
  legacy: "",
  modern: `,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":${JSON.stringify(SERVER_INFO)}}`,
};

/** The structured content is large, and is text already. */
function responseText(
  id: RequestId,
  { content, structuredContent, isError }: CallToolResult,
  era: Era,
): string {
  const structured = structuredContent ? `,"structuredContent":${jsonText(structuredContent)}` : "";
  const error = isError ? ',"isError":true' : "";
  return resultText(id, `{"content":${JSON.stringify(content)}${structured}${error}${RESULT_END[era]}}`);
}

/** A JSON-RPC response. @param result JSON text */
export function resultText(id: RequestId, result: string): string {
  return `{"result":${result},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
}

/** The log level that a request of the 2026 era asks for. */
export function requestedLevel({ meta }: PlainRequest): string | undefined {
  const level = meta[LOG_LEVEL_META_KEY];
  return typeof level === "string" ? level : undefined;
}

/** Whether the arguments have so many elements that the SDK refuses them. */
function isLarge(args: object): boolean {
  let left = MAX_INPUT_ELEMENTS;
  const queue: object[] = [args];
  for (let value = queue.pop(); value !== undefined; value = queue.pop())
    for (const inner of Object.values(value)) {
      if (--left < 0) return true;
      if (typeof inner === "object" && inner !== null) queue.push(inner);
    }
  return false;
}

const withHeaders = new WeakMap<Tool, boolean>();

/** Whether arguments of the tool are also in headers (SEP-2243), which the SDK compares. */
function namesHeaders(tool: Tool): boolean {
  let named = withHeaders.get(tool);
  if (named === undefined) {
    named = JSON.stringify(jsonSchemas(tool).input).includes('"x-mcp-header"');
    withHeaders.set(tool, named);
  }
  return named;
}
