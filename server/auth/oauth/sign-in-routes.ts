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
import { rememberBrowser, sourceOf } from "./known-browser.ts";

/** Attempts to sign in from one network, one known browser, or, with a passkey, one visit: at once, and a minute. */
const ATTEMPTS = { atOnce: 10, perMinute: 10 } as const;

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

  const signInForm = async (details: InteractionDetails, problem?: string) =>
    signInPage(details, problem, await people.passkeyOptions(details.uid));

  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    details: InteractionDetails,
    form: URLSearchParams,
  ): Promise<string | HtmlPage> {
    const { atOnce, perMinute } = ATTEMPTS;
    const login = form.get("login") ?? "";
    const passkey = form.get("passkey") ?? "";
    // A passkey cannot be guessed. Its attempts are counted by visit, so that nobody on the same network can use them up.
    const source = passkey ? `visit ${details.uid}` : await sourceOf(request, server, login);
    const bucket = await buckets.take(`sign-in:${source}`, atOnce, perMinute / 60);
    if (!bucket.allowed) {
      interactions.signInRefused(request, details, login, "too many attempts from this network");
      throw new Refusal(429, "Too many attempts. Wait a minute and try again.");
    }
    const password = form.get("password") ?? "";
    const code = form.get("code") ?? "";
    const signedIn = passkey
      ? await people.signInByPasskey(details.uid, passkey)
      : await people.signIn({ login, password, code, source }).catch((error) => {
          if (error instanceof Refusal) interactions.signInRefused(request, details, login, error.message);
          throw error;
        });
    if (signedIn) {
      const { person, how } = signedIn;
      await rememberBrowser(request, reply, server, person);
      return interactions.finishSignIn(request, reply, person, { how });
    }
    // Which of the three is wrong is nobody's business.
    const wrong = passkey ? "passkey" : "login, password or code";
    interactions.signInRefused(request, details, login, `wrong ${wrong}`);
    reply.code(401);
    return signInForm(
      details,
      passkey
        ? "This passkey is not known here, or the page was too old. Try again."
        : "The login, the password or the code is wrong.",
    );
  }
}

/** Answers with a page, or with a redirect (303) where there is a URL. A refusal is a page too. */
async function pages(reply: FastifyReply, answer: () => Promise<string | HtmlPage>): Promise<FastifyReply> {
  try {
    const answered = await answer();
    if (typeof answered === "string")
      return reply.header("cache-control", "no-store").redirect(answered, 303);
    return reply.headers(answered.headers).send(answered.body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { headers, body } = errorPage("sign_in", error.message);
    return reply.code(error.statusCode).headers(headers).send(body);
  }
}
