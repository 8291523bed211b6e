import { LimitReached } from "../shares/limit-reached.ts";

/** A JSON-RPC 2.0 error body for a request whose id could not be read. `request_id` is in the log too. */
export function jsonRpcError(
  code: number,
  message: string,
  requestId?: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  const data = { ...(requestId === undefined ? {} : { request_id: requestId }), ...more };
  return {
    jsonrpc: "2.0",
    error: { code, message, ...(Object.keys(data).length === 0 ? {} : { data }) },
    id: null,
  };
}

/** The statuses of refusals for which another attempt with the same request is no use. */
export type RefusedStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 406
  | 409
  | 410
  | 413
  | 415
  | 421
  | 422
  | 499
  | 500
  | 502;

/** An intentional refusal. Its message is for the caller, whatever the status, and it adds no line to the log. */
export class Refusal extends Error {
  readonly statusCode: number;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** JSON-RPC error code on /mcp. */
  readonly code: number;
  /** A client that gets 429 or 503 may try again: both need the seconds after which that makes sense (RFC 6585 section 4, RFC 9110 section 15.6.4). */
  constructor(statusCode: 429 | 503, message: string, retryAfter: number, code?: number);
  constructor(statusCode: RefusedStatus, message: string, retryAfter?: undefined, code?: number);
  constructor(statusCode: number, message: string, retryAfter?: number, code = -32_000) {
    super(message);
    this.name = "Refusal";
    this.statusCode = statusCode;
    this.retryAfter = retryAfter;
    this.code = code;
  }
}

/** The id for a response to this body (JSON-RPC 2.0, section 5): null if the body is not a single request. */
export function jsonRpcId(body: unknown): string | number | null {
  if (typeof body !== "object" || body === null || !("id" in body) || !("method" in body)) return null;
  const { id } = body;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** The error as a refusal, or undefined if it is none. */
export function refusalOf(error: Error): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return error instanceof LimitReached ? new Refusal(429, error.message, error.retryAfter) : undefined;
}

/** Thrown by the JSON parser of /mcp. JSON-RPC has its own code for it (-32700). */
export class ParseError extends Error {
  readonly statusCode = 400;
  constructor() {
    super("Parse error: the body is not JSON");
    this.name = "ParseError";
  }
}

/** The methods that MCP's Streamable HTTP transport defines. */
export const MCP_METHODS = "GET, POST, DELETE";

export function isMcpPath(url: string): boolean {
  return /^\/mcp(\/token)?\/?$/.test(url.split("?", 1)[0] ?? "");
}
