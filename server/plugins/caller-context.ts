import fp from "fastify-plugin";
import { asCaller } from "../shares/caller.ts";

/** From here on, the work of a request counts as its caller's (see FairQueue), and the audit log knows whose it is. */
export const callerContext = fp(
  async (app) => {
    app.addHook("preHandler", (request, _reply, done) => {
      const { principal, id: requestId } = request;
      const { "user-agent": userAgent } = request.headers;
      if (principal)
        asCaller(principal.id, done, { principal, requestId, traceId: request.trace.traceId, userAgent });
      else done();
    });
  },
  { name: "caller-context", dependencies: ["request-context"] },
);
