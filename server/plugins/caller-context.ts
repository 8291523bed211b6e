import fp from "fastify-plugin";
import { enterCaller } from "../shares/caller.ts";

/** From here on, the work of a request counts as its caller's (see FairQueue), and the audit log knows whose it is. */
export const callerContext = fp(
  async (app) => {
    app.addHook("preHandler", (request, _reply, done) => {
      const { principal, id: requestId, headers, trace } = request;
      if (principal)
        enterCaller({ principal, requestId, traceId: trace.traceId, userAgent: headers["user-agent"] });
      done();
    });
  },
  { name: "caller-context", dependencies: ["request-context"] },
);
