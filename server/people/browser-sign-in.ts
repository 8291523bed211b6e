import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { eventText } from "../auth/events.ts";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import { SIGN_IN_PATH } from "../auth/oauth/discovery.ts";
import { rememberBrowser } from "../auth/oauth/known-browser.ts";
import { attemptSignIn } from "../auth/oauth/sign-in-attempt.ts";
import { pages } from "../auth/oauth/sign-in-routes.ts";
import { originOf } from "../auth/origin.ts";
import { Refusal } from "../http/errors.ts";
import type { BucketStore } from "../http/limits/buckets.ts";
import { signInFailedPage } from "../pages/error.ts";
import type { HtmlPage } from "../pages/layout.ts";
import { signInPage } from "../pages/sign-in.ts";
import { FormTokens } from "./form-token.ts";
import { isFresh, pageToReturnTo, visitorOf } from "./visitor.ts";

const AGAIN = "You change how you sign in. Show first that it is you.";

/** `/sign-in`: for people who come by themselves, not from a client. It leads to one of SIGNED_IN_PAGES. */
export function registerBrowserSignIn(
  app: FastifyInstance,
  server: AuthorizationServer,
  buckets: BucketStore,
): void {
  const forms = new FormTokens({ origin: server.issuer, secrets: () => server.keys.cookies });
  const { host } = new URL(server.issuer);
  const local = server.identityProviders?.localSignIn ?? true;

  const form = async (request: FastifyRequest, reply: FastifyReply, problem?: string): Promise<HtmlPage> => {
    const visitor = await visitorOf(server, request, reply);
    const visit = randomBytes(16).toString("base64url");
    return signInPage({
      host,
      client: undefined,
      forms: "self",
      csrf: forms.issue(request, reply, purpose(visit)),
      visit,
      reason: visitor && AGAIN,
      login: visitor?.person.login,
      problem,
      local,
      passkeyOptions: local ? await server.people.passkeyOptions(purpose(visit)) : undefined,
      providers: server.identityProviders?.buttons({ to: pageToReturnTo(queryOf(request)) }),
    });
  };

  app.get(SIGN_IN_PATH, { exposeHeadRoute: false }, (request, reply) =>
    pages(
      reply,
      async () => {
        const query = queryOf(request);
        const visitor = await visitorOf(server, request, reply);
        if (visitor && (!query.has("again") || isFresh(visitor))) return pageToReturnTo(query);
        return form(request, reply);
      },
      failed,
    ),
  );

  app.post(SIGN_IN_PATH, (request, reply) =>
    pages(
      reply,
      async () => {
        const sent = new URLSearchParams(typeof request.body === "string" ? request.body : "");
        if (!local) throw new Refusal(403, "People sign in with an identity provider here.");
        const uid = purpose((sent.get("visit") ?? "").slice(0, 64));
        forms.check(request, uid, sent.get("csrf"));
        const refused = (login: string, reason: string) =>
          server.events.emit({ type: "sign-in.refused", login: eventText(login), reason }, originOf(request));
        const attempt = await attemptSignIn(request, sent, { uid, refused }, { server, buckets });
        if ("problem" in attempt) {
          reply.code(401);
          return form(request, reply, attempt.problem);
        }
        await server.sessions.signIn(request, reply, attempt.person.id, attempt.how);
        await rememberBrowser(request, reply, server, attempt.person);
        return pageToReturnTo(queryOf(request));
      },
      failed,
    ),
  );
}

const failed = (problem: string) => signInFailedPage(problem, SIGN_IN_PATH);

const purpose = (visit: string) => `sign-in ${visit}`;

const queryOf = (request: FastifyRequest) => new URL(request.url, "http://localhost").searchParams;
