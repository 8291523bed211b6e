import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  isInitializeRequest,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ServerEvent,
} from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { type Principal, sameRights } from "../auth/principal.ts";
import { hasOwnLimits } from "../shares/caller.ts";
import type { Shares } from "../shares/shares.ts";
import { changedFacts, type FactsChange } from "../store/facts.ts";
import { NO_FACTS, type RequestId, type Store, type StreamClaim } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import type { Changes } from "./changes.ts";
import { Call, Journal } from "./journal.ts";
import { LiveSessions, type LiveSessionsOptions, type Session } from "./live-sessions.ts";
import { Peers } from "./peers.ts";
import { ReplayRefused, replay } from "./replay.ts";
import { lostCall, type ResumeParts } from "./resume.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { SessionTransport } from "./session-transport.ts";
import { Unsaved } from "./unsaved.ts";

/** Between two clean-ups, milliseconds. */
const SWEEP_MS = 60_000;
/** A start waits so long for its place among the instances; then it goes on without, milliseconds. */
const JOIN_WAIT_MS = 2_000;
/** Pause before the next attempt to take that place; it doubles up to the second value, milliseconds. */
const JOIN_PAUSE_MS = [500, 4_000] as const;
/** Resources that one session may follow: each is looked at every two seconds. */
const MAX_SUBSCRIPTIONS = 100;
/** Larger `initialize` params are not kept: nobody's client name is that long. Characters. */
const MAX_PARAMS = 64 * 1024;

/** What a session's server tells its session. */
export interface SessionHooks {
  subscribe(uri: string, version: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
}

export interface SessionsOptions {
  readonly store: Store;
  /** What each token may have at once. */
  readonly shares: Shares;
  readonly build: (principal: Principal, hooks: SessionHooks) => McpServer;
  /** Stamps of the lists that a client of this principal sees. */
  readonly lists: (principal: Principal) => Promise<Readonly<Record<string, string>>>;
  readonly changes: Changes;
  readonly log: FastifyBaseLogger;
  readonly keepAliveMs: number;
  /** Host and colour: who starts in a slot takes the place of who was there. "" for none. */
  readonly slot: string;
  readonly live?: LiveSessionsOptions | undefined;
}

/** What instances tell each other through the store. */
type Word =
  | { t: "woke" | "want"; session: string; stream: string; from: string }
  | { t: "answer"; session: string; message: { id: string } }
  | { t: "cancelled"; session: string; message: { params?: { requestId?: RequestId } } }
  | { t: "facts" | "gone"; session: string }
  /** Older releases send no claim. */
  | { t: "taken"; session: string; claim?: number }
  | { t: "event"; event: ServerEvent }
  | { t: "hello"; from: string };

/**
 * The 2025-era sessions, whichever process they were opened in. Memory holds those in use; the store's record (who opened it, with which
 * `initialize`, what it asked for since) is enough to make any of them again, by replaying that `initialize`.
 */
export class Sessions {
  readonly instance = randomBytes(8).toString("hex");
  readonly journal: Journal;
  readonly live: LiveSessions;
  readonly #options: SessionsOptions;
  readonly #peers: Peers;
  readonly #unsaved = new Unsaved();
  readonly #closing = new AbortController();
  readonly #loading = new Map<string, Promise<Session | undefined>>();
  #sweeper: NodeJS.Timeout | undefined;
  #sweptAt = Date.now();

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { store } = options;
    const onError = (error: Error) => this.#fail(error);
    const { instance } = this;
    this.journal = new Journal({
      store,
      instance,
      tell: (to, session, stream) => void this.#say({ t: "woke", session, stream, from: instance }, to),
      onError,
    });
    this.live = new LiveSessions({
      maxPerPrincipal: options.shares.limits.liveSessions,
      ...options.live,
      busy: (id) => this.journal.busy(id) || this.#unsaved.has(id),
    });
    this.#peers = new Peers({ store, instance, slot: options.slot, onDead: (id) => this.#bury(id), onError });
    options.changes.relayBy((event) => void this.#say({ t: "event", event }));
  }

  /** Takes its place among the instances; while the store is away this goes on in the background, and the start does not wait for it. */
  async start(): Promise<void> {
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
    await Promise.race([this.#join(), sleep(JOIN_WAIT_MS, undefined, { ref: false })]);
  }

  async #join(): Promise<void> {
    const [first, longest] = JOIN_PAUSE_MS;
    const { signal } = this.#closing;
    for (let pause = first as number; !signal.aborted; pause = Math.min(pause * 2, longest)) {
      try {
        await this.#options.store.receive(this.instance, (text) => this.#hear(JSON.parse(text) as Word));
        await this.#peers.start();
        if (signal.aborted) this.#peers.stop();
        // The instances that were there before learn of this one now, not at its next heart beat.
        return await this.#say({ t: "hello", from: this.instance });
      } catch (error) {
        this.#fail(error as Error);
        await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  get resumeParts(): ResumeParts {
    const { store, keepAliveMs } = this.#options;
    const want = (to: string, session: string, stream: string) =>
      this.#say({ t: "want", session, stream, from: this.instance }, to);
    return { store, journal: this.journal, peers: this.#peers, instance: this.instance, keepAliveMs, want };
  }

  /**
   * Opens a session with a client's `initialize`. @returns its transport and what becomes of it; undefined when the memory is full
   */
  open(id: string, principal: Principal, params: unknown): Session {
    return this.#make(id, principal, async (session) => {
      const lists = await this.#options.lists(principal);
      session.facts = { ...NO_FACTS, lists };
      try {
        this.live.put(session);
      } catch (error) {
        session.refusal = error as Error;
        return;
      }
      if (JSON.stringify(params).length > MAX_PARAMS) return;
      const write = async () => {
        const included = [...session.unconfirmed];
        await this.#options.store.create(
          { id, principal: principal.id, params, facts: session.facts },
          this.#keep(principal),
        );
        for (const change of included) session.unconfirmed.delete(change);
      };
      await write().catch((error: Error) => {
        this.#fail(error);
        this.#unsaved.add(id, write);
      });
    });
  }

  /** @returns undefined for a session that is unknown, or somebody else's @throws StoreUnavailable */
  async find(id: string, principal: Principal): Promise<Session | undefined> {
    // What another instance changed a moment ago holds for this request too.
    if (this.#peers.others) this.#options.store.poll();
    const known = this.live.get(id);
    if (known) {
      if (known.principal.id !== principal.id) return undefined;
      if (sameRights(known.principal, principal)) {
        await known.refreshing;
        return known;
      }
      this.#retire(known);
    }
    // The principal is part of the key: a stranger's failed attempt must not fail the owner's.
    const key = `${principal.id}\n${id}`;
    const loading = this.#loading.get(key) ?? this.#load(id, principal);
    this.#loading.set(key, loading);
    return loading.finally(() => this.#loading.delete(key));
  }

  /** Changes what is known about a session, here, in the store and in other instances' memory. */
  async change(session: Session, change: FactsChange): Promise<void> {
    session.facts = changedFacts(session.facts, change);
    session.unconfirmed.add(change);
    try {
      await this.#confirm(session, change);
    } catch (error) {
      this.#fail(error as Error);
      this.#unsaved.add(session.id, async () => {
        for (const one of [...session.unconfirmed]) await this.#confirm(session, one);
      });
    }
  }

  /** Takes in a client's answer to a request that `asker`, an instance, sent it. */
  async answer(session: Session, asker: string, message: { id: string }): Promise<void> {
    if (asker === this.instance) session.transport.answer(message);
    else await this.#say({ t: "answer", session: session.id, message }, asker);
  }

  /** Tells everybody that a client took a request back; whoever works on it stops. */
  async cancelled(session: Session, message: { params?: { requestId?: RequestId } }): Promise<void> {
    if (!this.#end(session, message)) await this.#say({ t: "cancelled", session: session.id, message });
  }

  /**
   * A client opens its notification stream here, which `end` ends: an older stream of the session, wherever it is, ends now. Of two that
   * are opened at the same moment, at one instance or at two, the one stays whose claim the store counted last.
   *
   * @returns the number of the last notification so far; undefined while the store is away
   */
  async take(session: Session, end: () => void): Promise<number | undefined> {
    // Before anything is awaited: two requests at once must see each other.
    session.endStanding?.();
    session.endStanding = end;
    const before = session.claim ?? 0;
    session.claim = undefined;
    let claimed: StreamClaim | undefined;
    try {
      claimed = await this.#options.store.claimStream(session.id);
    } catch (error) {
      this.#fail(error as Error);
    }
    if (session.endStanding !== end) return claimed?.last;
    // What the store does not count is later than all that is known here, and earlier than all that comes.
    session.claim = claimed?.claim ?? Math.max(before, session.rival);
    if (session.claim < session.rival) end();
    if (claimed) void this.#say({ t: "taken", session: session.id, claim: claimed.claim });
    return claimed?.last;
  }

  /**
   * Ends the stream that `end` ends when another instance opened a later one. That instance says so at once; a message may be lost.
   *
   * @throws StoreUnavailable
   */
  async checkClaim(session: Session, end: () => void): Promise<void> {
    if (!this.#peers.others || session.endStanding !== end) return;
    const claim = await this.#options.store.lastClaim(session.id);
    if (claim !== undefined) this.#taken(session, claim);
  }

  /** The stream that `end` ends is over. */
  release(session: Session, end: () => void): void {
    if (session.endStanding === end) session.endStanding = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#closing.abort();
    this.#peers.stop();
    this.#unsaved.close();
    await this.journal.close();
    await this.#bury(this.instance).catch((error: Error) => this.#fail(error));
    await this.live.close();
  }

  #make(id: string, principal: Principal, onOpen: (session: Session) => Promise<void>): Session {
    const hooks: SessionHooks = {
      subscribe: (uri, version) => {
        this.#mayFollow(session, uri);
        return this.change(session, { subscribe: { [uri]: version } });
      },
      unsubscribe: (uri) => this.change(session, { unsubscribe: [uri] }),
    };
    const server = this.#options.build(principal, hooks);
    server.server.onerror = sdkErrors(this.#options.log, { session: id });
    const transport = new SessionTransport(this.instance, {
      sessionIdGenerator: () => id,
      keepAliveMs: this.#options.keepAliveMs,
      eventStore: this.journal.eventStore(id),
      retryInterval: 500,
      onsessioninitialized: () => onOpen(session),
      onsessionclosed: () => this.#remove(session),
    });
    const session: Session = {
      id,
      principal,
      server,
      transport,
      facts: NO_FACTS,
      unconfirmed: new Set(),
      endStanding: undefined,
      claim: undefined,
      rival: 0,
      refreshing: undefined,
      refusal: undefined,
    };
    return session;
  }

  /** @throws ProtocolError when the session, or its token, follows as many resources as it may */
  #mayFollow(session: Session, uri: string): void {
    const { id } = session.principal;
    if (uri in session.facts.subscriptions) return;
    if (Object.keys(session.facts.subscriptions).length >= MAX_SUBSCRIPTIONS)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `Too many resources: a session may follow ${MAX_SUBSCRIPTIONS}. Unsubscribe from some first.`,
      );
    const others = this.live.values().filter((other) => other.principal.id === id);
    const followed = others.reduce((sum, { facts }) => sum + Object.keys(facts.subscriptions).length, 0);
    try {
      // Only looked at, not kept: sessions come and go from memory with what they follow.
      this.#options.shares.resources.open(id, followed + 1)();
    } catch (error) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, (error as Error).message);
    }
  }

  #keep(principal: Principal): number {
    return hasOwnLimits(principal.id) ? this.#options.shares.limits.sessions : 0;
  }

  async #load(id: string, principal: Principal): Promise<Session | undefined> {
    const { store, log } = this.#options;
    const record = await store.read(id);
    if (record?.principal !== principal.id) return undefined;
    const session = this.#make(id, principal, async () => undefined);
    await session.server.connect(session.transport);
    try {
      await replay(session, record, (work) => this.journal.run(new Call("", []), work));
      this.live.put(session);
    } catch (error) {
      await session.server.close();
      if (!(error instanceof ReplayRefused)) throw error;
      // A newer SDK may refuse what an older one took. Unknown (404) makes the client begin anew; anything else would repeat for ever.
      log.warn({ session: id, reason: error.message }, "session cannot be taken up again");
      return undefined;
    }
    log.info({ session: id }, "session taken up again");
    await store.touch([{ id, principal: principal.id }]).catch((error: Error) => this.#fail(error));
    return session;
  }

  /** The token has other scopes than when the session was made: it is made again, with what the token may do now. */
  #retire(session: Session): void {
    this.live.delete(session.id);
    session.endStanding?.();
    this.journal.lose(session.id, (request) =>
      lostCall(request, "The call was ended: the scopes of its token changed. Call again."),
    );
    session.server.close().catch((error: Error) => this.#fail(error));
  }

  async #remove(session: Session): Promise<void> {
    this.live.delete(session.id);
    this.#unsaved.delete(session.id);
    session.endStanding?.();
    await this.journal.forget(session.id);
    await this.#options.store.remove(session.id);
    await this.#say({ t: "gone", session: session.id });
  }

  #end(session: Session, message: { params?: { requestId?: RequestId } }): boolean {
    const request = message.params?.requestId;
    const call = request === undefined ? undefined : this.journal.cancelled(session.id, request);
    if (request === undefined || !call) return false;
    session.transport.onmessage?.(message as Parameters<NonNullable<typeof session.transport.onmessage>>[0]);
    session.transport.abandon(request, call.finished);
    return true;
  }

  #hear(word: Word): void {
    if (word.t === "event") {
      this.#options.changes.arrive(word.event);
      return;
    }
    if (word.t === "hello") {
      void this.#peers.learn();
      return;
    }
    const { session: id } = word;
    if (word.t === "woke") {
      this.journal.wake(id, word.stream);
      return;
    }
    if (word.t === "want") {
      const { session, stream, from } = word;
      this.journal
        .expose(session, stream, from)
        .then((known) =>
          known ? this.#say({ t: "woke", session, stream, from: this.instance }, from) : undefined,
        )
        .catch((error: Error) => this.#fail(error));
      return;
    }
    const session = this.live.get(id);
    if (!session) return;
    if (word.t === "answer") session.transport.answer(word.message);
    if (word.t === "cancelled") this.#end(session, word.message);
    if (word.t === "taken") this.#taken(session, word.claim);
    if (word.t === "facts") this.#refresh(session);
    if (word.t === "gone") {
      this.live.delete(session.id);
      session.endStanding?.();
      void this.journal.forget(session.id);
      session.server.close().catch(() => undefined);
    }
  }

  /** Another instance opened a stream of the session. One of ours whose claim is not known yet is judged when it is. */
  #taken(session: Session, claim: number | undefined): void {
    if (claim === undefined) {
      session.endStanding?.();
      return;
    }
    session.rival = Math.max(session.rival, claim);
    if (session.claim !== undefined && session.claim < claim) session.endStanding?.();
  }

  async #confirm(session: Session, change: FactsChange): Promise<void> {
    await this.#options.store.changeFacts(session.id, change);
    session.unconfirmed.delete(change);
    await this.#say({ t: "facts", session: session.id });
  }

  #refresh(session: Session): void {
    const before = session.refreshing ?? Promise.resolve();
    const refreshing = before
      .then(() => this.#readFacts(session))
      .catch((error: Error) => this.#fail(error))
      .finally(() => {
        if (session.refreshing === refreshing) session.refreshing = undefined;
      });
    session.refreshing = refreshing;
  }

  async #readFacts(session: Session): Promise<void> {
    const record = await this.#options.store.read(session.id);
    if (!record) return;
    const { logLevel } = session.facts;
    session.facts = [...session.unconfirmed].reduce(changedFacts, record.facts);
    if (record.facts.logLevel !== logLevel)
      await replay(session, record, (work) => this.journal.run(new Call("", []), work), "logLevel");
  }

  async #bury(instance: string): Promise<void> {
    const calls = await this.#options.store.bury(instance, lostCall);
    for (const { session, stream } of calls) {
      this.journal.wake(session, stream);
      await this.#say({ t: "woke", session, stream, from: this.instance });
    }
  }

  async #say(word: Word, to = "*"): Promise<void> {
    if (!this.#peers.others || to === this.instance) return;
    await this.#options.store
      .post(this.instance, to, JSON.stringify(word))
      .catch((error: Error) => this.#fail(error));
  }

  async #sweep(): Promise<void> {
    const used = this.live.sweep(this.#sweptAt);
    this.#sweptAt = Date.now();
    try {
      if (used.length > 0)
        await this.#options.store.touch(used.map(({ id, principal }) => ({ id, principal: principal.id })));
      await this.#options.store.sweep();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    const { log } = this.#options;
    // An outage is reported once, where it is found out (see store/outages.ts).
    if (error instanceof StoreUnavailable) log.debug({ reason: error.reason }, "session store");
    else log.error({ err: error }, "sessions");
  }
}

/** The params of an `initialize`, if it is one. */
export function initializeParams(body: unknown): unknown {
  return isInitializeRequest(body) ? body.params : undefined;
}
