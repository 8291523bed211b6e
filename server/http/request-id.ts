import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isLoopback } from "../config.ts";

/**
 * The request's id: the edge's, so that both logs can be laid side by side, when a neighbour on loopback sent a sane one; else a new one.
 */
export function requestId(request: Pick<IncomingMessage, "headers" | "socket">): string {
  const sent = request.headers["x-request-id"];
  const peer = request.socket.remoteAddress?.replace(/^::ffff:/, "");
  const near = peer === undefined || isLoopback(peer);
  return near && typeof sent === "string" && /^[\w.-]{8,128}$/.test(sent) ? sent : randomUUID();
}
