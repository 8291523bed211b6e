import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "../http/errors.ts";
import type { DisconnectReason } from "../http/event-stream.ts";

/** A request to the MCP endpoint, of either era. */
export interface McpRequest {
  readonly web: Request;
  /** The parsed body: one message or a batch; undefined without a body. */
  readonly body: unknown;
  readonly principal: Principal;
}

/** The answer to a request on the MCP endpoint, of either era. */
export interface McpResponse {
  readonly response: Response;
  readonly session?: string | undefined;
  /** The stream produces events only as fast as it is read. */
  readonly paced?: boolean;
  /** Must be called when the stream of the answer has ended. */
  readonly onEnd?: (reason: DisconnectReason) => void;
  /** Ends the stream with a proper result on a drain. */
  readonly onDrain?: () => void;
}

/** A JSON-RPC error for a request that no session handles. */
export function errorResponse(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(jsonRpcError(code, message), { status, headers });
}
