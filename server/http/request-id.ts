import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isTrustedHop } from "./peer.ts";

/**
 * The request's id: the edge's, so that both logs can be laid side by side, when a neighbour on loopback sent a sane one; else a new one.
 */
export function requestId(request: Pick<IncomingMessage, "headers" | "socket">): string {
  const sent = request.headers["x-request-id"];
  return isTrustedHop(request) && typeof sent === "string" && /^[\w.-]{8,128}$/.test(sent)
    ? sent
    : randomUUID();
}
