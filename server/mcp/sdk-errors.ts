import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";

/**
 * How the SDK (2.4) begins its reports of requests that it refused: the fault is the client's. Whatever a newer SDK reports in other words
 * is logged as an error until it is named here.
 */
const REFUSALS = [
  "Rejected inbound request",
  "Rejected 2025-era request",
  "Unsupported Media Type",
  "Not Acceptable",
  "Bad Request",
  "Invalid Request",
  "Parse error",
  "Session not found",
  "Conflict",
  "Method not allowed",
  "subscriptions/listen refused",
  "Received a response for an unknown",
  "Received a progress notification for an unknown",
  "Era mismatch on inbound",
  "Dropped inbound request",
  "Unknown message type",
  "requestState verification rejected",
  // The client left while it was answered.
  "Failed to write to the response stream",
];

/** Messages that are no JSON-RPC, as the SDK's schemas and JSON.parse report them. */
const MALFORMED = ["ZodError", "$ZodError", "SyntaxError"];

function isRefusal(error: Error): boolean {
  if (error instanceof ProtocolError) return error.code !== ProtocolErrorCode.InternalError;
  return MALFORMED.includes(error.name) || REFUSALS.some((start) => error.message.startsWith(start));
}

/**
 * What the SDK reports beside its answers. A client's mistake is a line for debugging; everything else (a factory that throws, a response
 * that could not be sent, a notification handler that failed) is an error of this server, and has its stack in the log.
 *
 * @param facts added to each line
 */
export function sdkErrors(log: FastifyBaseLogger, facts: object = {}): (error: Error) => void {
  return (error) => {
    if (isRefusal(error)) log.debug({ ...facts, reason: error.message }, "mcp refused");
    else log.error({ ...facts, err: error }, "mcp failed");
  };
}
