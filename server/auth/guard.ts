import type { FastifyReply, FastifyRequest } from "fastify";
import { jsonRpcError } from "../http/errors.ts";
import { ANONYMOUS, type Authenticator, type Principal } from "./principal.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the guard on guarded routes. */
    principal: Principal | null;
  }
}

/** `none` mode: everybody is the same anonymous caller. */
export const anonymousAuthenticator: Authenticator = { authenticate: async () => ({ principal: ANONYMOUS }) };

/** An onRequest hook: before the body is read, so that nobody unknown makes the server parse megabytes. */
export function guard(authenticator: Authenticator) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const verdict = await authenticator.authenticate(request.headers.authorization);
    if ("principal" in verdict) {
      request.principal = verdict.principal;
      return;
    }
    await reply
      .code(401)
      .header("www-authenticate", verdict.challenge)
      .send(jsonRpcError(-32_001, verdict.reason, request.id));
  };
}
