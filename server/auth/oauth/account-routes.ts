import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Refusal } from "../../http/errors.ts";
import { accountPage, signedOutPage } from "../../pages/account.ts";
import type { Person } from "../people.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import type { BrowserSession } from "./browser-sessions.ts";
import { checkFormToken, formToken } from "./form-token.ts";

const URL_PATH = "/account";

/** `/account`: what a person has connected and where they are signed in, and how each of it ends. */
export function registerAccount(app: FastifyInstance, server: AuthorizationServer): void {
  const { connections, sessions, people } = server;
  const tokenOf = (session: BrowserSession) => formToken(server.keys, `account ${session.uid}`);

  async function visitor(
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<{ session: BrowserSession; person: Person } | undefined> {
    const session = await sessions.signedIn(request, reply);
    const person = session && (await people.find(session.person));
    return person && { session, person };
  }

  app.get(URL_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const here = await visitor(request, reply);
    const { headers, body } = here
      ? accountPage({
          person: here.person,
          csrf: tokenOf(here.session),
          connections: await connections.list(here.person.id),
          sessions: await sessions.list(here.person.id),
          current: here.session.uid,
        })
      : signedOutPage();
    return reply.headers(headers).send(body);
  });

  app.post(URL_PATH, async (request, reply) => {
    const here = await visitor(request, reply);
    if (!here) return reply.redirect(URL_PATH, 303);
    const { person, session } = here;
    const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
    checkFormToken(request, { origin: server.issuer, expected: tokenOf(session), given: form.get("csrf") });
    const [action, id = ""] = (form.get("action") ?? "").split(" ");
    // What is gone already is what the person wanted.
    if (action === "revoke") await connections.revoke(person.id, id);
    else if (action === "end") await sessions.end(person.id, id);
    else if (action === "sign-out") await sessions.signOut(request, reply);
    else throw new Refusal(400, "Unknown action. Go back and try again.");
    return reply.header("cache-control", "no-store").redirect(URL_PATH, 303);
  });
}
