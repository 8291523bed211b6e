import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isTrustedHop } from "./peer.ts";

/**
 * The request's id. A well-formed id from a trusted hop is kept, so that the logs of the edge and the server can be correlated. Otherwise a
 * new one is generated.
 */
export function requestId(request: Pick<IncomingMessage, "headers" | "socket">): string {
  const sent = request.headers["x-request-id"];
  return isTrustedHop(request) && typeof sent === "string" && /^[\w.-]{8,128}$/.test(sent)
    ? sent
    : randomUUID();
}
