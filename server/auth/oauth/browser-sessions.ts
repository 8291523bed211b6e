import type { FastifyReply, FastifyRequest } from "fastify";
import type { Provider } from "oidc-provider";
import type { EventOrigin } from "../event-origin.ts";
import type { AuthEvents, SignInMethod } from "../events.ts";
import { originOf } from "../origin.ts";
import { sessionCookie, TTL } from "./provider.ts";
import type { OAuthRecord, OAuthStore } from "./store.ts";

/** A browser in which somebody is signed in. */
export interface BrowserSession {
  /** Not a credential. */
  readonly uid: string;
  readonly person: string;
  /** Milliseconds since 1970. */
  readonly signedInAt: number;
  readonly how: SignInMethod | undefined;
}

export interface BrowserSessionsOptions {
  readonly provider: () => Provider;
  readonly store: OAuthStore;
  readonly events: AuthEvents;
  readonly issuer: string;
  readonly now: () => number;
}

/** Who is signed in in which browser, for pages beside the sign-in itself. One cookie serves both; see provider.ts. */
export class BrowserSessions {
  readonly #options: BrowserSessionsOptions;

  constructor(options: BrowserSessionsOptions) {
    this.#options = options;
  }

  /** @returns undefined when nobody is signed in in this browser */
  async signedIn(request: FastifyRequest, reply: FastifyReply): Promise<BrowserSession | undefined> {
    const session = await this.#session(request, reply);
    if (!session?.accountId) return undefined;
    const { uid, accountId, loginTs = 0, amr } = session;
    return {
      uid,
      person: accountId,
      signedInAt: loginTs * 1_000,
      how: amr?.[0] as SignInMethod | undefined,
    };
  }

  /** Signs the browser in outside of a client's sign-in, such as after an enrolment. A session that it had before ends. */
  async signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    person: string,
    how: SignInMethod,
    options: { remember?: boolean } = {},
  ): Promise<void> {
    const provider = this.#options.provider();
    await (await this.#session(request, reply))?.destroy();
    const session = new provider.Session();
    const { remember = true } = options;
    session.loginAccount({ accountId: person, amr: [how], transient: !remember });
    await session.save(TTL.session);
    const expires = remember ? { expires: new Date(this.#options.now() + TTL.session * 1_000) } : {};
    this.#cookies(request, reply).set(this.#cookie, session.jti, { ...this.#cookieOptions, ...expires });
    this.#options.events.emit({ type: "sign-in", person, how }, originOf(request));
  }

  async signOut(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const session = await this.#session(request, reply);
    this.#cookies(request, reply).set(this.#cookie, null, this.#cookieOptions);
    if (!session) return;
    await session.destroy();
    if (session.accountId)
      this.#options.events.emit({ type: "sign-out", person: session.accountId }, originOf(request));
  }

  async list(person: string): Promise<BrowserSession[]> {
    return (await this.#options.store.list("Session", { person })).map(describe);
  }

  /** Signs a browser of this person out. @returns false when it has no such session */
  async end(person: string, uid: string, origin: EventOrigin = {}): Promise<boolean> {
    const { store, events } = this.#options;
    const record = await store.getByUid("Session", uid);
    if (record?.person !== person) return false;
    await store.remove("Session", record.id);
    events.emit({ type: "sessions.ended", person, sessions: 1 }, origin);
    return true;
  }

  /** Signs every browser of this person out but the one of the session `uid`. */
  async endOthers(person: string, uid: string, origin: EventOrigin = {}): Promise<void> {
    const { store, events } = this.#options;
    const others = (await store.list("Session", { person })).filter((record) => record.uid !== uid);
    for (const { id } of others) await store.remove("Session", id);
    if (others.length > 0) events.emit({ type: "sessions.ended", person, sessions: others.length }, origin);
  }

  get #cookie(): string {
    return sessionCookie(this.#options.issuer);
  }

  get #cookieOptions() {
    const secure = this.#options.issuer.startsWith("https:");
    return { httpOnly: true, sameSite: "lax", secure, path: "/", signed: true, overwrite: true } as const;
  }

  #cookies({ raw }: FastifyRequest, reply: FastifyReply) {
    return this.#options.provider().createContext(raw, reply.raw).cookies;
  }

  async #session(request: FastifyRequest, reply: FastifyReply) {
    const id = this.#cookies(request, reply).get(this.#cookie, { signed: true });
    return id === undefined ? undefined : this.#options.provider().Session.find(id);
  }
}

function describe({ uid = "", person = "", payload }: OAuthRecord): BrowserSession {
  const { loginTs, amr } = payload as { loginTs?: number; amr?: SignInMethod[] };
  return { uid, person, signedInAt: (loginTs ?? 0) * 1_000, how: amr?.[0] };
}
