import fp from "fastify-plugin";
import { asCaller } from "../shares/caller.ts";

/** From here on, the work of a request counts as its caller's (see FairQueue). */
export const callerContext = fp(
  async (app) => {
    app.addHook("preHandler", (request, _reply, done) => {
      if (request.principal) asCaller(request.principal.id, done);
      else done();
    });
  },
  { name: "caller-context", dependencies: ["request-context"] },
);
