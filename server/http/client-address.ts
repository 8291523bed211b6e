import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";

const ADDRESS = Symbol("address");

/** The client's address, as `request.ip`, which reads the forwarding headers each time. */
export function clientAddress(request: FastifyRequest): string {
  const raw: IncomingMessage & { [ADDRESS]?: string } = request.raw;
  raw[ADDRESS] ??= request.ip;
  return raw[ADDRESS];
}
