import type { FastifyRequest } from "fastify";
import type { EventOrigin } from "./event-origin.ts";
import { eventText } from "./events.ts";

/** Where a request came from, for an event. */
export function originOf(request: FastifyRequest): EventOrigin {
  const userAgent = request.headers["user-agent"];
  return {
    address: request.ip,
    requestId: request.id,
    traceId: request.trace.traceId,
    ...(userAgent === undefined ? {} : { userAgent: eventText(userAgent) }),
  };
}
