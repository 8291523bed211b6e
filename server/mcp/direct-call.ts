import { LOG_LEVEL_META_KEY, type StandardSchemaV1 } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { type JsonPieces, measuredJson, measuredString } from "../json/text.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import type { RequestId } from "../store/store.ts";
import { jsonSchemas, wireSchemas } from "../tools/arguments/wire-schema.ts";
import type { Tool } from "../tools/tool.ts";
import { SERVER_INFO } from "../version.ts";
import { DirectContext, type DirectListener } from "./direct-context.ts";
import { hasOnly, isObject, type PlainRequest } from "./plain-request.ts";
import { isOffered, MAX_INPUT_ELEMENTS, type ServerParts } from "./server-parts.ts";
import { callTool, type ToolResult } from "./tool-call.ts";

export type Era = "legacy" | "modern";

/** A `tools/call` that is ready to run. */
export interface DirectCall extends CallableTool {
  readonly request: PlainRequest;
  /** As the tool's input schema returned them. */
  readonly args: Record<string, unknown>;
}

const NO_ARGUMENTS = {};
const PARAMS: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);

/** A tool with what each call of it needs. */
interface CallableTool {
  readonly tool: Tool;
  readonly input: StandardSchemaV1<unknown, Record<string, unknown>>["~standard"];
}

/**
 * Runs `tools/call` without the SDK, whose own way to a tool and back takes longer than most tools (see docs/performance.md). The answer is
 * the same: test/server/mcp/direct-call.test.ts compares the two. `DIRECT_CALLS=no` turns this off.
 */
export class DirectCalls {
  readonly #parts: ServerParts;
  /** By name; undefined for those that the SDK must call. */
  readonly #tools = new Map<string, CallableTool | undefined>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** @returns undefined for a request that the SDK must answer, for example because its arguments are refused */
  prepare(principal: Principal, request: PlainRequest): MaybePromise<DirectCall | undefined> {
    const { name, arguments: given = NO_ARGUMENTS } = request.params;
    if (request.method !== "tools/call" || !hasOnly(request.params, PARAMS)) return undefined;
    if (!isObject(given) || isLarge(given)) return undefined;
    const callable = this.#find(name);
    if (!callable || !this.#isVisible(callable.tool, principal)) return undefined;
    return then(callable.input.validate(given), (checked) =>
      checked.issues ? undefined : { ...callable, request, args: checked.value },
    );
  }

  #find(name: unknown): CallableTool | undefined {
    if (typeof name !== "string") return undefined;
    if (this.#tools.has(name)) return this.#tools.get(name);
    const tool = this.#parts.tools.find((one) => one.name === name);
    // Names come from clients: only those of tools are kept.
    if (!tool) return undefined;
    const callable = { tool, input: wireSchemas(tool).input["~standard"] };
    this.#tools.set(name, namesHeaders(tool) ? undefined : callable);
    return this.#tools.get(name);
  }

  #isVisible(tool: Tool, principal: Principal): boolean {
    const { grants, capabilities } = this.#parts;
    return (
      isOffered(this.#parts, tool, principal) &&
      grants.access(principal).allows(tool) &&
      capabilities?.allow(tool) !== false
    );
  }

  /** Runs the call. */
  run(principal: Principal, call: DirectCall, listener: DirectListener): Promise<ToolResult> {
    const { tool, request, args } = call;
    const { grants, context: shared, log } = this.#parts;
    const workspace = grants.access(principal).workspace(tool, shared.workspace);
    const own = new DirectContext(tool.name, { ...shared, workspace }, listener);
    return callTool(tool, args, request.meta.progressToken === undefined ? own : own.reporting(request), log);
  }
}

/** What the result of each era has besides its content. */
const RESULT_END: Readonly<Record<Era, string>> = {
  legacy: "",
  modern: `,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":${JSON.stringify(SERVER_INFO)}}`,
};

/** The response to a call. The text and the structured content may be large: they are pieces of their own. */
export function callPieces(
  id: RequestId,
  { content: [{ text }], structuredContent, isError }: ToolResult,
  era: Era,
): JsonPieces {
  const error = isError ? ',"isError":true' : "";
  const end = `${error}${RESULT_END[era]}},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`;
  if (!structuredContent) return [TEXT, measuredString(text), `}]${end}`];
  return [TEXT, measuredString(text), '}],"structuredContent":', measuredJson(structuredContent), end];
}

const TEXT = '{"result":{"content":[{"type":"text","text":';

/** A JSON-RPC response. @param result JSON text */
export function resultPieces(id: RequestId, result: Buffer): JsonPieces {
  return ['{"result":', result, `,"jsonrpc":"2.0","id":${JSON.stringify(id)}}`];
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

/** Whether arguments of the tool are also in headers (SEP-2243), which the SDK compares. */
function namesHeaders(tool: Tool): boolean {
  return JSON.stringify(jsonSchemas(tool).input).includes('"x-mcp-header"');
}
