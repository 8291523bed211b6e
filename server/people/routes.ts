import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import { rememberBrowser } from "../auth/oauth/known-browser.ts";
import { originOf } from "../auth/origin.ts";
import { Refusal } from "../http/errors.ts";
import type { BucketStore } from "../http/limits/buckets.ts";
import { limitVisits } from "../http/limits/limit-visits.ts";
import { networkOf } from "../http/network.ts";
import type { HtmlPage } from "../pages/layout.ts";
import { Enrolment } from "./enrolment.ts";
import { FormTokens } from "./form-token.ts";
import type { LinkPurpose } from "./links.ts";
import type { StoredPeople } from "./stored-people.ts";
import { refusedPage, signedInPage } from "./views.ts";

/** Visits from one network with links that do not work, or of one link that works: at once, and a minute. */
const VISITS = { purpose: "enrol:", atOnce: 30, perMinute: 30 } as const;

export interface PeopleRoutesOptions {
  readonly server: AuthorizationServer;
  readonly people: StoredPeople;
  readonly buckets: BucketStore;
  /** Whether people may choose how they sign in here; false where only identity providers say who people are. */
  readonly enrolment: boolean;
}

/** `/enrol` and `/sign-in-link`. */
export function registerPeople(app: FastifyInstance, options: PeopleRoutesOptions): void {
  const { server, people, buckets } = options;
  const forms = new FormTokens({ origin: server.issuer, secrets: () => server.keys.cookies });
  const enrolment = new Enrolment(people, new URL(server.issuer).host);

  app.get("/enrol", { exposeHeadRoute: false }, (request, reply) =>
    answer(request, reply, "enrol", async (token) =>
      enrolment.page(token, forms.issue(request, reply, token)),
    ),
  );

  app.post("/enrol", (request, reply) =>
    answer(request, reply, "enrol", async (token) => {
      const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
      forms.check(request, token, form.get("csrf"));
      const done = await enrolment.finish(token, form);
      if ("problem" in done) {
        reply.code(422);
        server.events.emit(
          { type: "sign-in.refused", reason: `enrolment: ${done.problem}` },
          originOf(request),
        );
        return enrolment.page(token, forms.issue(request, reply, token), done.problem);
      }
      await server.sessions.signIn(request, reply, done.person.id, "enrolment");
      await rememberBrowser(request, reply, server, done.person);
      return done.page;
    }),
  );

  app.get("/sign-in-link", { exposeHeadRoute: false }, (request, reply) =>
    answer(request, reply, "sign-in", async (token) => {
      const id = await people.links.use(token, "sign-in");
      const person = id === undefined ? undefined : await people.directory.find(id);
      if (!person) throw new Refusal(410, "This link was used, or has expired.");
      await server.sessions.signIn(request, reply, person.id, "link", { remember: false });
      return signedInPage(person);
    }),
  );

  /** Answers with a page. A refusal is a page and an event. */
  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    purpose: LinkPurpose,
    work: (token: string) => Promise<HtmlPage>,
  ): Promise<FastifyReply> {
    const token = (new URL(request.url, server.issuer).searchParams.get("link") ?? "").slice(0, 64);
    try {
      if (purpose === "enrol" && !options.enrolment)
        throw new Refusal(
          404,
          "People sign in with an identity provider here, so there is nothing to choose.",
        );
      const link = await people.links.check(token, purpose);
      // A link cannot be guessed. Its visits are counted apart, so that nobody on the same network can use them up.
      const visitor = link ? `link ${link.id}` : networkOf(request.ip);
      await limitVisits(buckets, VISITS, visitor);
      const { headers, body } = await work(token);
      return reply.headers(headers).send(body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      server.events.emit({ type: "sign-in.refused", reason: error.message }, originOf(request));
      const { headers, body } = refusedPage(error.message);
      if (error.retryAfter !== undefined) reply.header("retry-after", error.retryAfter);
      return reply.code(error.statusCode).headers(headers).send(body);
    }
  }
}
