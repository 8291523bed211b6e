import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { isTrustedHop } from "./peer.ts";

const ADDRESS = Symbol("address");

/** The client's address, as `request.ip`, which reads the forwarding headers each time and puts lists together. */
export function clientAddress(request: FastifyRequest): string {
  const raw: IncomingMessage & { [ADDRESS]?: string } = request.raw;
  raw[ADDRESS] ??= forwardedAddress(raw) ?? request.ip;
  return raw[ADDRESS];
}

/** What nearly all requests have: one address, written by the edge. */
function forwardedAddress(raw: IncomingMessage): string | undefined {
  const { "x-forwarded-for": forwarded } = raw.headers;
  if (typeof forwarded !== "string" || forwarded.includes(",")) return undefined;
  const address = forwarded.trim();
  return address !== "" && raw.socket.remoteAddress !== undefined && isTrustedHop(raw) ? address : undefined;
}
