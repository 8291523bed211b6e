import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Credential, CredentialChange } from "../auth/events.ts";
import type { AuthorizationServer } from "../auth/oauth/authorization-server.ts";
import { originOf } from "../auth/origin.ts";
import type { Person } from "../auth/people.ts";
import { Refusal } from "../http/errors.ts";
import { type AccountNotice, accountPage } from "../pages/account.ts";
import type { HtmlPage } from "../pages/layout.ts";
import { accountFormToken, checkAccountForm } from "./account-form.ts";
import { Credentials } from "./credentials.ts";
import { isLocalPerson } from "./people-store.ts";
import { StoredPeople } from "./stored-people.ts";
import { recoveryCodesPage } from "./views.ts";
import { isFresh, signInUrl, type Visitor, visitorOf } from "./visitor.ts";

const URL_PATH = "/account";

/** What an action leads to: a notice on `/account`, a page, or, without either, `/account` as it is now. */
type Done = AccountNotice | HtmlPage | undefined;

interface Action {
  /** Whether it changes how the person signs in, so that it needs a fresh sign-in. */
  readonly fresh?: true;
  run(visit: AccountVisit): Promise<Done>;
}

interface AccountVisit extends Visitor {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** What the action is about. */
  readonly id: string;
  readonly form: URLSearchParams;
}

/** `/account`: what a person has connected, where they are signed in and how they sign in, and how each of it ends. */
export function registerAccount(app: FastifyInstance, server: AuthorizationServer): void {
  const people = server.people instanceof StoredPeople ? server.people : undefined;
  const access = accessActions(server);
  const all = { ...access, ...(people && credentialActions(server, people)) };
  const localSignIn = server.identityProviders?.localSignIn ?? true;
  const isLocal = (person: Person) => localSignIn && isLocalPerson(person);

  async function account(visitor: Visitor, more: { problem?: string; notice?: string | null } = {}) {
    const { person, session } = visitor;
    const credentials = people && new Credentials(people);
    return accountPage({
      ...more,
      person,
      csrf: accountFormToken(server, session),
      connections: await server.connections.list(person.id),
      sessions: await server.sessions.list(person.id),
      current: session.uid,
      ways: isLocal(person) ? await credentials?.waysIn(person.id) : undefined,
    });
  }

  app.get(URL_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const visitor = await visitorOf(server, request, reply);
    if (!visitor) return seeOther(reply, signInUrl(URL_PATH));
    const notice = new URL(request.url, server.issuer).searchParams.get("done");
    const { headers, body } = await account(visitor, { notice });
    return reply.headers(headers).send(body);
  });

  app.post(URL_PATH, async (request, reply) => {
    const visitor = await visitorOf(server, request, reply);
    if (!visitor) return seeOther(reply, signInUrl(URL_PATH));
    const form = checkAccountForm(server, request, visitor.session);
    const [name = "", id = ""] = (form.get("action") ?? "").split(" ");
    const action = (isLocal(visitor.person) ? all : access)[name];
    if (!action) throw new Refusal(400, "Unknown action. Go back and try again.");
    if (action.fresh && !isFresh(visitor)) return seeOther(reply, signInUrl(URL_PATH, true));
    try {
      const done = await action.run({ ...visitor, request, reply, id, form });
      if (typeof done === "object") return reply.headers(done.headers).send(done.body);
      return seeOther(reply, done === undefined ? URL_PATH : `${URL_PATH}?done=${done}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { headers, body } = await account(visitor, { problem: error.message });
      return reply.code(error.statusCode).headers(headers).send(body);
    }
  });
}

/** What is gone already is what the person wanted. */
function accessActions({ connections, sessions }: AuthorizationServer): Record<string, Action> {
  return {
    revoke: {
      run: async ({ person, id, request }) => {
        await connections.revoke(person.id, id, originOf(request));
        return "access-ended";
      },
    },
    end: {
      run: async ({ person, id, request }) => {
        await sessions.end(person.id, id, originOf(request));
        return "browser-signed-out";
      },
    },
    "end-others": {
      run: async ({ person, session, request }) => {
        await sessions.endOthers(person.id, session.uid, originOf(request));
        return "browsers-signed-out";
      },
    },
    "sign-out": {
      run: async ({ request, reply }) => {
        await sessions.signOut(request, reply);
        return undefined;
      },
    },
  };
}

function credentialActions(server: AuthorizationServer, people: StoredPeople): Record<string, Action> {
  const credentials = new Credentials(people);
  const changed = ({ person, request }: AccountVisit, credential: Credential, change: CredentialChange) =>
    server.events.emit(
      { type: "credential.changed", person: person.id, credential, change },
      originOf(request),
    );
  return {
    "rename-passkey": {
      run: async (visit) => {
        const { person, id, form } = visit;
        if (!(await people.passkeys.rename(person.id, id, form.get("name") ?? ""))) return undefined;
        changed(visit, "passkey", "renamed");
        return "passkey-renamed";
      },
    },
    "remove-passkey": {
      fresh: true,
      run: async (visit) => {
        if (!(await credentials.removePasskey(visit.person.id, visit.id))) return undefined;
        changed(visit, "passkey", "removed");
        return "passkey-removed";
      },
    },
    "remove-password": {
      fresh: true,
      run: async (visit) => {
        if (!(await credentials.removePassword(visit.person.id))) return undefined;
        changed(visit, "password", "removed");
        return "password-removed";
      },
    },
    "recovery-codes": {
      fresh: true,
      run: async (visit) => {
        const { person } = visit;
        const codes = await people.recoveryCodes.renew(person.id);
        changed(visit, "recovery-codes", "replaced");
        return recoveryCodesPage({ person, codes, password: await people.passwords.has(person.id) });
      },
    },
  };
}

/** A redirect after which the browser asks with GET. */
export const seeOther = (reply: FastifyReply, url: string): FastifyReply =>
  reply.header("cache-control", "no-store").redirect(url, 303);
