import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import type { BucketStore } from "../../http/limits/buckets.ts";
import { consentPage } from "../../pages/consent.ts";
import { errorPage } from "../../pages/error.ts";
import type { HtmlPage } from "../../pages/layout.ts";
import { signInPage } from "../../pages/sign-in.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { SIGN_IN_PATH } from "./discovery.ts";
import type { InteractionDetails } from "./interaction.ts";
import { rememberBrowser } from "./known-browser.ts";
import { attemptSignIn } from "./sign-in-attempt.ts";

/** Sign-in and consent. */
export function registerSignIn(
  app: FastifyInstance,
  server: AuthorizationServer,
  buckets: BucketStore,
): void {
  const { interactions, people } = server;
  const url = `${SIGN_IN_PATH}/:uid`;
  app.get(url, { exposeHeadRoute: false }, (request, reply) =>
    pages(reply, async () => {
      const details = await interactions.details(request, reply);
      return details.step === "consent" ? consentPage(details) : signInForm(details);
    }),
  );
  app.post(url, (request, reply) =>
    pages(reply, async () => {
      const details = await interactions.details(request, reply);
      const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
      interactions.checkCsrf(request, details, form.get("csrf"));
      if (form.get("action") === "abort") return interactions.abort(request, reply);
      if (details.step === "consent") {
        const remember = form.get("remember") === "yes" && !details.redirect.local;
        return interactions.consent(request, reply, details, { remember });
      }
      return signIn(request, reply, details, form);
    }),
  );

  const local = server.identityProviders?.localSignIn ?? true;
  const signInForm = async (details: InteractionDetails, problem?: string) =>
    signInPage({
      host: new URL(details.resource).host,
      client: details.client.name,
      forms: { redirect: details.redirect.uri },
      csrf: details.csrf,
      login: details.loginHint,
      problem,
      local,
      passkeyOptions: local ? await people.passkeyOptions(details.uid) : undefined,
      providers: server.identityProviders?.buttons({ uid: details.uid }),
    });

  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    details: InteractionDetails,
    form: URLSearchParams,
  ): Promise<string | HtmlPage> {
    if (!local) throw new Refusal(403, "People sign in with an identity provider here.");
    const visit = {
      uid: details.uid,
      refused: (login: string, reason: string) => interactions.signInRefused(request, details, login, reason),
    };
    const attempt = await attemptSignIn(request, form, visit, { server, buckets });
    if ("problem" in attempt) {
      reply.code(401);
      return signInForm(details, attempt.problem);
    }
    const { person, how } = attempt;
    await rememberBrowser(request, reply, server, person);
    return interactions.finishSignIn(request, reply, person, { how });
  }
}

/**
 * Answers with a page, or with a redirect (303) where there is a URL. A refusal is a page too.
 *
 * @param failed the page of a refusal. Default: it sends the person back to the client.
 */
export async function pages(
  reply: FastifyReply,
  answer: () => Promise<string | HtmlPage>,
  failed: (problem: string) => HtmlPage = (problem) => errorPage("sign_in", problem),
): Promise<FastifyReply> {
  try {
    const answered = await answer();
    if (typeof answered === "string")
      return reply.header("cache-control", "no-store").redirect(answered, 303);
    return reply.headers(answered.headers).send(answered.body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { headers, body } = failed(error.message);
    return reply.code(error.statusCode).headers(headers).send(body);
  }
}
