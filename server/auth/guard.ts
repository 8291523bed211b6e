import type { FastifyReply, FastifyRequest } from "fastify";
import { isMcpPath, jsonRpcError, Refusal } from "../http/errors.ts";
import { BearerAnswers } from "./bearer.ts";
import { originOf } from "./origin.ts";
import { ANONYMOUS, type Authenticator, isAnonymous, type Principal, type Scope } from "./principal.ts";
import { REFUSED_CREDENTIAL } from "./refusals.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the guard on guarded routes. */
    principal: Principal | null;
  }
}

/** `none` mode: everybody is the same anonymous caller. */
export const anonymousAuthenticator: Authenticator = { authenticate: async () => ({ principal: ANONYMOUS }) };

/** The authenticator for a request, where host names differ in what they take. */
export type AuthenticatorFor = Authenticator | ((request: FastifyRequest) => Authenticator);

/** For authenticators without a challenge of their own. */
const NO_METADATA = new BearerAnswers({ hint: "" });

/** Who checked a request's credential, for the challenge of a 403. */
const checkedBy = new WeakMap<FastifyRequest, Authenticator>();

/** An onRequest hook: before the body is read, so that nobody unknown makes the server parse megabytes. */
export function guard(authenticatorFor: AuthenticatorFor) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const authenticator =
      typeof authenticatorFor === "function" ? authenticatorFor(request) : authenticatorFor;
    checkedBy.set(request, authenticator);
    const verdict = await authenticator.authenticate(request.headers.authorization, () => originOf(request));
    if ("principal" in verdict) {
      request.principal = verdict.principal;
      return;
    }
    // What was sent without any credential is a client that looks whether one is needed: nobody is banned for that.
    const named =
      verdict.guessed && authenticator.refusals?.name(request.headers.authorization ?? "", request.ip);
    if (named) reply.header(REFUSED_CREDENTIAL, named);
    await reply
      .code(401)
      .header("www-authenticate", verdict.challenge)
      .send(
        isMcpPath(request.url)
          ? jsonRpcError(-32_001, verdict.reason, request.id)
          : { error: verdict.reason, request_id: request.id },
      );
  };
}

/** True where the guard accepted a credential. The anonymous caller of `AUTH_MODE=none` is all clients together and has no limits. */
export function isTokenHolder({ principal }: FastifyRequest): boolean {
  return principal !== null && !isAnonymous(principal);
}

/**
 * For a guarded request.
 *
 * @throws Refusal 403 with the challenge of RFC 6750, section 3.1, when the caller lacks the scope
 */
export function requireScope(request: FastifyRequest, reply: FastifyReply, scope: Scope): void {
  if (request.principal?.scopes.includes(scope)) return;
  const challenge =
    checkedBy.get(request)?.insufficientScope?.(scope) ?? NO_METADATA.insufficientScope(scope);
  reply.header("www-authenticate", challenge);
  throw new Refusal(
    403,
    `This needs the scope ${scope}. Connect again and allow it, or make a token: token create --scopes ${scope} --name NAME`,
  );
}
