import type { FastifyServerOptions } from "fastify";
import fp from "fastify-plugin";
import { settleForwarding } from "../http/forwarded.ts";
import { requestId } from "../http/request-id.ts";
import { requestLog } from "../http/request-log.ts";
import { formatTrace, type Trace, traceOf } from "../http/trace.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Where the request stands in its caller's trace. */
    readonly trace: Trace;
  }
}

/** Options of Fastify itself: what identifies a request is known before its first hook, and is on every line that it logs. */
export const REQUEST_CONTEXT = {
  genReqId: (raw) => {
    settleForwarding(raw);
    return requestId(raw);
  },
  childLoggerFactory: (logger, bindings, options, raw) =>
    requestLog(() => logger.child({ ...bindings, trace_id: traceOf(raw).traceId }, options)),
} satisfies Pick<FastifyServerOptions, "genReqId" | "childLoggerFactory">;

/** `request.trace` and `request.principal`; on every answer the request's id and its place in the trace. */
export const requestContext = fp(
  async (app) => {
    app.decorateRequest("principal", null);
    app.decorateRequest("authenticator", null);
    app.decorateRequest("trace", {
      getter() {
        return traceOf(this.raw);
      },
    });
    app.addHook("onRequest", (request, reply, done) => {
      reply.header("x-request-id", request.id).header("traceresponse", formatTrace(traceOf(request.raw)));
      done();
    });
  },
  { name: "request-context", dependencies: ["lifecycle"] },
);
