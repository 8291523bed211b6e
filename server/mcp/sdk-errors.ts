import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";

/**
 * The first words of the SDK's (2.4) reports of requests that it refused because of the client. A report that is not listed here, for
 * example of a newer SDK, is logged as an error.
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

/** Errors of the SDK's schemas and of JSON.parse for messages that are not JSON-RPC. */
const MALFORMED = ["ZodError", "$ZodError", "SyntaxError"];

function isRefusal(error: Error): boolean {
  if (error instanceof ProtocolError) return error.code !== ProtocolErrorCode.InternalError;
  return MALFORMED.includes(error.name) || REFUSALS.some((start) => error.message.startsWith(start));
}

/**
 * Logs the errors that the SDK reports apart from its answers. A client's mistake is logged at level debug. Everything else (a factory that
 * throws, a response that could not be sent, a failed notification handler) is an error of this server, and is logged with its stack.
 *
 * @param fields added to each line
 */
export function sdkErrors(log: FastifyBaseLogger, fields: object = {}): (error: Error) => void {
  return (error) => {
    if (isRefusal(error)) log.debug({ ...fields, reason: error.message }, "mcp refused");
    else log.error({ ...fields, err: error }, "mcp failed");
  };
}
