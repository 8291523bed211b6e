import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Credential } from "../auth/events.ts";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import { originOf } from "../auth/origin.ts";
import type { HtmlPage } from "../pages/layout.ts";
import { accountFormToken, checkAccountForm } from "./account-form.ts";
import { seeOther } from "./account-routes.ts";
import { addPasskeyPage, passwordPage } from "./credential-views.ts";
import { newPasswordProblem, newTotpProblem } from "./new-password.ts";
import { isLocalPerson } from "./people-store.ts";
import type { StoredPeople } from "./stored-people.ts";
import { describeTotp, newTotpSecret } from "./totp.ts";
import { recoveryCodesPage } from "./views.ts";
import { isFresh, type SignedInPage, signInUrl, type Visitor, visitorOf } from "./visitor.ts";

/** The secret of an authenticator app that is being added, from its page to its form. One for each browser session. */
const TOTP_DRAFT = "TotpDraft";
const TOTP_DRAFT_MS = 30 * 60_000;

/** `/account/passkey` and `/account/password`: how a person adds or changes a way to sign in. Each needs a fresh sign-in. */
export function registerCredentials(
  app: FastifyInstance,
  server: AuthorizationServer,
  people: StoredPeople,
): void {
  const { host } = new URL(server.issuer);
  const localSignIn = server.identityProviders?.localSignIn ?? true;
  const isLocal = ({ person }: Visitor) => localSignIn && isLocalPerson(person);
  const challengeOf = ({ session }: Visitor) => `account ${session.uid}`;

  async function passkeyForm(visitor: Visitor, problem?: string): Promise<HtmlPage | string> {
    const person = await people.find(visitor.person.id);
    if (!person) return "/account";
    const passkeyOptions = await people.passkeys.registrationOptions(challengeOf(visitor), person);
    return addPasskeyPage({ csrf: accountFormToken(server, visitor.session), passkeyOptions, problem });
  }

  async function passwordForm(visitor: Visitor, problem?: string): Promise<HtmlPage> {
    const { person, session } = visitor;
    const secret = (await draft(visitor)) ?? newTotpSecret();
    const expiresAt = people.now() + TOTP_DRAFT_MS;
    await people.directory.store.put({
      model: TOTP_DRAFT,
      id: session.uid,
      payload: { secret },
      person: person.id,
      expiresAt,
    });
    return passwordPage({
      person,
      csrf: accountFormToken(server, session),
      has: await people.passwords.has(person.id),
      totp: describeTotp(secret, host, person.login),
      problem,
    });
  }

  async function draft({ session, person }: Visitor): Promise<string | undefined> {
    const record = await people.directory.store.get(TOTP_DRAFT, session.uid);
    return record?.person === person.id ? String(record.payload.secret) : undefined;
  }

  const changed = (
    request: FastifyRequest,
    { person }: Visitor,
    credential: Credential,
    change: "added" | "replaced",
  ) =>
    server.events.emit(
      { type: "credential.changed", person: person.id, credential, change },
      originOf(request),
    );

  page("/account/passkey", passkeyForm, async (visitor, form, request) => {
    const { person } = visitor;
    const answer = form.get("passkey") ?? "";
    const name = form.get("name") ?? "";
    const save = await people.passkeys.checkRegistration(challengeOf(visitor), person.id, answer, name);
    if (!save) return { problem: "The passkey could not be checked. Try again." };
    if (!(await save())) return { problem: "This passkey is in use already." };
    changed(request, visitor, "passkey", "added");
    return "/account?done=passkey-added";
  });

  page("/account/password", passwordForm, async (visitor, form, request) => {
    const { person, session } = visitor;
    const had = await people.passwords.has(person.id);
    const what = had ? form.get("what") : undefined;
    const [withPassword, withApp] = [what !== "authenticator", what !== "password"];
    const secret = await draft(visitor);
    const problem =
      (withPassword ? newPasswordProblem(form, person.login) : undefined) ??
      (withApp ? newTotpProblem(form, secret, people.now()) : undefined);
    if (problem !== undefined) return { problem };
    if (withApp && secret !== undefined) {
      await people.totp.set(person.id, secret);
      // It is used up.
      await people.totp.use(person.id, form.get("code") ?? "");
      await people.directory.store.remove(TOTP_DRAFT, session.uid);
      changed(request, visitor, "authenticator", had ? "replaced" : "added");
    }
    if (withPassword) {
      await people.passwords.set(person.id, form.get("password") ?? "");
      changed(request, visitor, "password", had ? "replaced" : "added");
    }
    // Who knew the old one may be signed in somewhere.
    await server.sessions.endOthers(person.id, session.uid, originOf(request));
    if (had) return `/account?done=${withPassword ? "password-changed" : "authenticator-changed"}`;
    const codes = await people.recoveryCodes.renew(person.id);
    changed(request, visitor, "recovery-codes", "replaced");
    return recoveryCodesPage({ person, codes, password: true });
  });

  /** A page with a form. `finish` returns where the browser goes, a page, or why the form is shown again. */
  function page(
    path: SignedInPage,
    show: (visitor: Visitor, problem?: string) => Promise<HtmlPage | string>,
    finish: (
      visitor: Visitor,
      form: URLSearchParams,
      request: FastifyRequest,
    ) => Promise<HtmlPage | string | { problem: string }>,
  ): void {
    const answer = (reply: FastifyReply, answered: HtmlPage | string) =>
      typeof answered === "string"
        ? seeOther(reply, answered)
        : reply.headers(answered.headers).send(answered.body);
    const fresh = async (request: FastifyRequest, reply: FastifyReply) => {
      const visitor = await visitorOf(server, request, reply);
      return visitor && isFresh(visitor) ? visitor : undefined;
    };
    app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
      const visitor = await fresh(request, reply);
      if (visitor && !isLocal(visitor)) return seeOther(reply, "/account");
      return answer(reply, visitor ? await show(visitor) : signInUrl(path, true));
    });
    app.post(path, async (request, reply) => {
      const visitor = await fresh(request, reply);
      if (!visitor) return seeOther(reply, signInUrl(path, true));
      if (!isLocal(visitor)) return seeOther(reply, "/account");
      const finished = await finish(visitor, checkAccountForm(server, request, visitor.session), request);
      if (typeof finished === "string" || "body" in finished) return answer(reply, finished);
      reply.code(422);
      return answer(reply, await show(visitor, finished.problem));
    });
  }
}
