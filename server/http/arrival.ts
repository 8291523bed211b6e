import type { FastifyInstance, FastifyServerOptions } from "fastify";
import { settleForwarding } from "./forwarded.ts";
import { requestId } from "./request-id.ts";
import { formatTrace, type Trace, traceOf } from "./trace.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Where the request stands in its caller's trace. */
    readonly trace: Trace;
  }
}

/** What Fastify does first with a request: name it, and put its name and its trace on every line that it logs. */
export const ARRIVAL = {
  genReqId: (raw) => {
    settleForwarding(raw);
    return requestId(raw);
  },
  childLoggerFactory: (logger, bindings, options, raw) =>
    logger.child({ ...bindings, trace_id: traceOf(raw).traceId }, options),
} satisfies Pick<FastifyServerOptions, "genReqId" | "childLoggerFactory">;

/** On every answer: the request's id and its place in the trace. */
export function registerArrival(app: FastifyInstance): void {
  app.decorateRequest("trace", {
    getter() {
      return traceOf(this.raw);
    },
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id).header("traceresponse", formatTrace(traceOf(request.raw)));
    done();
  });
}
