import type { RequestId } from "../store/store.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A JSON-RPC request without anything unusual: what is checked here, the SDK's schemas accept too. */
export interface PlainRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: Fields;
  readonly meta: Fields;
}

const NOTHING: Fields = {};
const MEMBERS = new Set(["jsonrpc", "id", "method", "params"]);
/** Prefix of the keys in `_meta` that MCP defines. */
const RESERVED = "io.modelcontextprotocol/";
const TRACE = new Set(["traceparent", "tracestate", "baggage"]);

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Recognizes the requests that nearly all clients send, in a microsecond. The SDK's schemas need ten, several times for each request.
 *
 * @param reserved the keys of MCP that may be in `_meta`, without their prefix
 * @returns undefined for every other message, well-formed or not: the SDK decides on it
 */
export function plainRequest(body: unknown, reserved: ReadonlySet<string>): PlainRequest | undefined {
  if (!isObject(body) || body.jsonrpc !== "2.0" || typeof body.method !== "string") return undefined;
  for (const key in body) if (!MEMBERS.has(key)) return undefined;
  const { id, method, params = NOTHING } = body;
  if (typeof id !== "string" && !Number.isSafeInteger(id)) return undefined;
  if (!isObject(params)) return undefined;
  const { _meta: meta = NOTHING } = params;
  if (!isObject(meta) || !isPlainMeta(meta, reserved)) return undefined;
  return { id: id as RequestId, method, params, meta };
}

function isPlainMeta(meta: Fields, reserved: ReadonlySet<string>): boolean {
  for (const key in meta) {
    const value = meta[key];
    if (key.startsWith(RESERVED)) {
      if (!reserved.has(key.slice(RESERVED.length))) return false;
    } else if (key === "progressToken") {
      if (typeof value !== "string" && !Number.isSafeInteger(value)) return false;
    } else if (TRACE.has(key) && typeof value !== "string") return false;
  }
  return true;
}

/** Whether an object has no other keys than these. */
export function hasOnly(fields: Fields, keys: ReadonlySet<string>): boolean {
  for (const key in fields) if (!keys.has(key)) return false;
  return true;
}
