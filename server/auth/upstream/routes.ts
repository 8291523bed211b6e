import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import type { BucketStore } from "../../http/limits/buckets.ts";
import { limitVisits } from "../../http/limits/limit-visits.ts";
import { networkOf } from "../../http/network.ts";
import { providerProblemPage } from "../../pages/sign-in.ts";
import { pageToReturnTo, type SignedInPage, signInUrl } from "../../people/visitor.ts";
import { eventText } from "../events.ts";
import type { AuthorizationServer } from "../oauth/authorization-server.ts";
import { SIGN_IN_PATH } from "../oauth/discovery.ts";
import { originOf } from "../origin.ts";
import { BrowserCookie } from "./browser-cookie.ts";
import { type IdentityProviders, signInPath } from "./identity-providers.ts";
import { SignInFailure } from "./sign-in-failure.ts";

/** Visits of one client's sign-in, or of a network without one, to a provider and back: at once, and a minute. */
const VISITS = { purpose: "provider-sign-in:", atOnce: 20, perMinute: 20 } as const;
/** What an answer of a provider may have (RFC 6749, section 4.1.2; RFC 9207). The rest is not passed on. */
const PARAMETERS = ["code", "state", "iss", "error", "error_description"] as const;
/** The longest of them, characters. */
const MAX_PARAMETER = 4_096;

interface Named {
  Params: { uid: string; provider: string };
}

/**
 * To an identity provider and back. The provider's redirect URI is outside of the path of the sign-in's cookie, so a second redirect leads
 * back into it: only the browser that began a sign-in can end it.
 */
export function registerIdentityProviders(
  app: FastifyInstance,
  server: AuthorizationServer,
  providers: IdentityProviders,
  buckets: BucketStore,
): void {
  const { interactions, events } = server;
  /** Where people can try again. */
  const visits = new WeakMap<FastifyRequest, { uid: string } | { to: SignedInPage }>();
  const cookie = new BrowserCookie(server.issuer);

  app.get<Named>(`${SIGN_IN_PATH}/:uid/with/:provider`, { exposeHeadRoute: false }, (request, reply) =>
    redirect(request, reply, async () => {
      const { uid, loginHint } = await clientVisit(request, reply);
      return (await providers.begin(request.params.provider, { uid }, { ...wishes(request), loginHint }))
        .href;
    }),
  );

  // People who come by themselves, not from a client.
  app.get<Named>(`${SIGN_IN_PATH}/with/:provider`, { exposeHeadRoute: false }, (request, reply) =>
    redirect(request, reply, async () => {
      const to = pageToReturnTo(new URL(request.url, server.issuer).searchParams);
      visits.set(request, { to });
      await limitVisits(buckets, VISITS, networkOf(request.ip));
      const browser = cookie.read(request) ?? cookie.set(reply);
      return (await providers.begin(request.params.provider, { browser, to }, wishes(request))).href;
    }),
  );

  app.get<Named>(`${SIGN_IN_PATH}/callback/:provider`, { exposeHeadRoute: false }, (request, reply) =>
    redirect(request, reply, async () => {
      const { provider } = request.params;
      const answer = answerOf(request, server);
      const visit = await providers.visitOf(provider, answer.get("state"));
      // Into the path of the cookie of a client's sign-in.
      if ("uid" in visit) return `${SIGN_IN_PATH}/${visit.uid}/from/${provider}?${answer}`;
      const to = pageToReturnTo(new URLSearchParams({ to: visit.to }));
      visits.set(request, { to });
      const person = await providers.finish(provider, { browser: cookie.read(request) ?? "" }, answer);
      await server.sessions.signIn(request, reply, person.id, "upstream");
      return to;
    }),
  );

  app.get<Named>(`${SIGN_IN_PATH}/:uid/from/:provider`, { exposeHeadRoute: false }, (request, reply) =>
    redirect(request, reply, async () => {
      const { uid } = await clientVisit(request, reply);
      const person = await providers.finish(request.params.provider, { uid }, answerOf(request, server));
      return interactions.finishSignIn(request, reply, person, { how: "upstream" });
    }),
  );

  /** @throws Refusal unless this browser is at the step of signing in */
  async function clientVisit(request: FastifyRequest<Named>, reply: FastifyReply) {
    const details = await interactions.details(request, reply);
    visits.set(request, { uid: details.uid });
    await limitVisits(buckets, VISITS, `visit ${details.uid}`);
    if (details.step !== "sign-in") throw new Refusal(400, "Somebody is signed in in this browser already.");
    return details;
  }

  /** Redirects (303), or shows why not. */
  async function redirect(
    request: FastifyRequest<Named>,
    reply: FastifyReply,
    target: () => Promise<string>,
  ): Promise<FastifyReply> {
    try {
      return await reply.header("cache-control", "no-store").redirect(await target(), 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { provider } = request.params;
      const { reason, login } = error instanceof SignInFailure ? error : { reason: error.message };
      request.log.warn({ provider: eventText(provider), reason }, "sign-in with an identity provider failed");
      events.emit(
        { type: "sign-in.refused", login: login ?? eventText(provider), reason },
        originOf(request),
      );
      const visit = visits.get(request);
      const { headers, body } = providerProblemPage({
        problem: error.message,
        requestId: request.id,
        back: visit && ("uid" in visit ? `${SIGN_IN_PATH}/${visit.uid}` : signInUrl(visit.to)),
        // Most providers would answer with the same account again.
        otherAccount: visit && error.statusCode === 403 ? signInPath(provider, visit, true) : undefined,
      });
      if (error.retryAfter !== undefined) reply.header("retry-after", error.retryAfter);
      return reply.code(error.statusCode).headers(headers).send(body);
    }
  }
}

const wishes = (request: FastifyRequest) => ({
  otherAccount: new URL(request.url, "http://localhost").searchParams.get("account") === "other",
});

function answerOf(request: FastifyRequest, { issuer }: AuthorizationServer): URLSearchParams {
  const given = new URL(request.url, issuer).searchParams;
  const answer = new URLSearchParams();
  for (const name of PARAMETERS) {
    // A parameter that is there twice has no meaning (RFC 6749, section 3.1).
    const [value, ...more] = given.getAll(name);
    if (value !== undefined && more.length === 0 && value.length <= MAX_PARAMETER) answer.set(name, value);
  }
  return answer;
}
