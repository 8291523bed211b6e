import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import { isMcpPath, jsonRpcError, Refusal } from "../http/errors.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import { BearerAnswers, type RefusedBearer } from "./bearer.ts";
import { originOf } from "./origin.ts";
import {
  ANONYMOUS,
  type Authenticator,
  isAnonymous,
  OFFERED_SCOPES,
  type Principal,
  type Scope,
} from "./principal.ts";
import { REFUSED_CREDENTIAL } from "./refusals.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the guard on guarded routes. */
    principal: Principal | null;
    /** Who checked the request's credential, for the challenge of a 403. */
    authenticator: Authenticator | null;
  }
}

/** `none` mode: everybody is the same anonymous caller. */
export const anonymousAuthenticator: Authenticator = { authenticate: () => ({ principal: ANONYMOUS }) };

/** The authenticator for a request, where host names differ in what they take. */
export type AuthenticatorFor = Authenticator | ((request: FastifyRequest) => Authenticator);

/** For authenticators without a challenge of their own. */
const NO_METADATA = new BearerAnswers({ hint: "" });

/** An onRequest hook: before the body is read, so that nobody unknown makes the server parse megabytes. */
export function guard(authenticatorFor: AuthenticatorFor): onRequestHookHandler {
  const identify = identifyBy(authenticatorFor);
  return (request, reply, done) => {
    const accepted = identify(request, reply);
    if (accepted instanceof Promise) accepted.then((yes) => yes && done(), done);
    else if (accepted) done();
  };
}

/** Sets the request's principal, or answers 401. The function that it returns resolves to whether the caller was accepted. */
export function identifyBy(authenticatorFor: AuthenticatorFor) {
  return (request: FastifyRequest, reply: FastifyReply): MaybePromise<boolean> => {
    const authenticator =
      typeof authenticatorFor === "function" ? authenticatorFor(request) : authenticatorFor;
    request.authenticator = authenticator;
    const verdict = authenticator.authenticate(request.headers.authorization, () => originOf(request));
    return then(verdict, (known) => {
      if (!("principal" in known)) return refuse(request, reply, known, authenticator);
      request.principal = known.principal;
      return true;
    });
  };
}

async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { challenge, reason, guessed }: RefusedBearer,
  { refusals }: Authenticator,
): Promise<false> {
  // What was sent without any credential is a client that looks whether one is needed: nobody is banned for that.
  const named = guessed && refusals?.name(request.headers.authorization ?? "", request.ip);
  if (named) reply.header(REFUSED_CREDENTIAL, named);
  await reply
    .code(401)
    .header("www-authenticate", challenge)
    .send(
      isMcpPath(request.url)
        ? jsonRpcError(-32_001, reason, request.id)
        : { error: reason, request_id: request.id },
    );
  return false;
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
  const challenge = request.authenticator?.insufficientScope?.(scope) ?? NO_METADATA.insufficientScope(scope);
  reply.header("www-authenticate", challenge);
  const what = OFFERED_SCOPES.includes(scope)
    ? `${scope}. Connect again and allow it, or make a token`
    : `${scope}, which clients that sign in are not offered. Make a token`;
  throw new Refusal(403, `This needs the scope ${what}: token create --scopes ${scope} --name NAME`);
}
