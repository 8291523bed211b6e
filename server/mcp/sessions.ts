import type { McpServer } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { type Principal, sameRights } from "../auth/principal.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { hasOwnLimits } from "../shares/caller.ts";
import type { Shares } from "../shares/shares.ts";
import { INITIAL_STATE, type StateChange } from "../store/session-state.ts";
import type { Store } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import { Cluster } from "./cluster.ts";
import type { MessageHandlers } from "./instance-messages.ts";
import { Journal } from "./journal.ts";
import { LiveSessions, type LiveSessionsOptions } from "./live-sessions.ts";
import { lostCall } from "./lost-call.ts";
import { MessageRouter } from "./message-router.ts";
import { PendingWrites } from "./pending-writes.ts";
import { Reaper } from "./reaper.ts";
import type { ResumeParts } from "./resume.ts";
import type { Session, SessionHooks } from "./session.ts";
import { SessionFactory } from "./session-factory.ts";
import { StateSync } from "./state-sync.ts";
import { StreamClaims } from "./stream-claims.ts";

/** Larger `initialize` params are not stored: no client's name is that long. Characters. */
const MAX_PARAMS = 64 * 1024;

export interface SessionsOptions {
  readonly store: Store;
  /** The limits of each token. */
  readonly shares: Shares;
  readonly build: (principal: Principal, hooks: SessionHooks) => McpServer;
  /** See SessionServerOptions. */
  readonly buildOpening?: ((principal: Principal, hooks: SessionHooks) => McpServer) | undefined;
  /** Fingerprints of the lists that a client of this principal sees. */
  readonly lists: (principal: Principal) => Promise<Readonly<Record<string, string>>>;
  readonly log: FastifyBaseLogger;
  readonly keepAliveMs: number;
  /** See ClusterOptions. */
  readonly slot: string;
  readonly live?: LiveSessionsOptions | undefined;
}

/**
 * The 2025-era sessions, whichever process they were opened in. Memory holds those in use. The store's record (the principal, the
 * `initialize` and the state) suffices to restore any of them, by replaying that `initialize`.
 */
export class Sessions {
  readonly journal: Journal;
  readonly live: LiveSessions;
  readonly claims: StreamClaims;
  readonly router: MessageRouter;
  readonly #options: SessionsOptions;
  readonly #cluster: Cluster;
  readonly #factory: SessionFactory;
  readonly #reaper: Reaper;
  readonly #states: StateSync;
  readonly #pendingWrites = new PendingWrites();
  readonly #loading = new Map<string, Promise<Session | undefined>>();

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { store, shares } = options;
    const onError = (error: Error) => this.#report(error);
    const onDead = (id: string) => this.#reaper.reap(id);
    const cluster = new Cluster({ store, slot: options.slot, onDead, onError });
    const { instance } = cluster;
    const pendingWrites = this.#pendingWrites;
    const journal = new Journal({
      store,
      instance,
      notify: (to, session, stream) => void cluster.send("wakeup", { session, stream, from: instance }, to),
      onError,
    });
    const live = new LiveSessions({
      maxPerPrincipal: shares.limits.liveSessions,
      ...options.live,
      busy: (id) => journal.busy(id) || pendingWrites.has(id),
    });
    const parts = { store, cluster, journal, live, onError };
    this.#cluster = cluster;
    this.journal = journal;
    this.live = live;
    this.claims = new StreamClaims(parts);
    this.router = new MessageRouter(cluster, journal);
    this.#reaper = new Reaper(parts);
    this.#states = new StateSync({ ...parts, pendingWrites, onRemoved: (session) => this.#drop(session) });
    this.#factory = new SessionFactory({
      ...options,
      maxServers: options.live?.maxServers,
      instance,
      journal,
      live,
      change: (session, change) => this.change(session, change),
    });
  }

  /** Joins the other instances. While the store is away this goes on in the background, and the start does not wait for it. */
  async start(): Promise<void> {
    this.#reaper.start();
    this.#states.start();
    await this.#cluster.start(this.#handlers());
  }

  get resumeParts(): ResumeParts {
    const { store, keepAliveMs } = this.#options;
    return { store, journal: this.journal, cluster: this.#cluster, keepAliveMs };
  }

  /** Opens a session with a client's `initialize`. */
  open(id: string, principal: Principal, params: unknown): Session {
    const tooLong = JSON.stringify(params).length > MAX_PARAMS;
    const onOpen = async (session: Session) => {
      const lists = await this.#options.lists(principal);
      session.state = { ...INITIAL_STATE, lists };
      this.live.put(session);
      if (tooLong) return;
      session.initialize = params;
      const write = async () => {
        const included = [...session.unconfirmed];
        const { state } = session;
        await this.#options.store.create(
          { id, principal: principal.id, params, state },
          this.#limit(principal),
        );
        for (const change of included) session.unconfirmed.delete(change);
        session.stored = true;
      };
      await write().catch((error: Error) => {
        this.#report(error);
        this.#pendingWrites.add(id, write);
      });
    };
    return this.#factory.create(id, principal, onOpen, tooLong ? undefined : this.#options.buildOpening);
  }

  /** @returns undefined for a session that is unknown, or another principal's @throws StoreUnavailable */
  find(id: string, principal: Principal): MaybePromise<Session | undefined> {
    this.#cluster.poll();
    const known = this.live.get(id);
    if (known) {
      if (known.principal.id !== principal.id) return undefined;
      if (known.principal === principal || sameRights(known.principal, principal))
        return known.refreshing ? known.refreshing.then(() => known) : known;
      this.#retire(known);
    }
    // The principal is part of the key: another principal's failed attempt must not fail the owner's.
    const key = `${principal.id}\n${id}`;
    const loading = this.#loading.get(key) ?? this.#load(id, principal);
    this.#loading.set(key, loading);
    return loading.finally(() => this.#loading.delete(key));
  }

  /** Changes the state of a session: here, in the store, and in other instances' memory. */
  change(session: Session, change: StateChange): Promise<void> {
    return this.#states.change(session, change);
  }

  async close(): Promise<void> {
    this.#reaper.stop();
    this.#states.stop();
    this.#cluster.stop();
    this.#pendingWrites.close();
    await this.journal.close();
    await this.#reaper.reap(this.#cluster.instance).catch((error: Error) => this.#report(error));
    await this.live.close();
  }

  /** The maximum number of sessions of a principal; 0 for no limit. */
  #limit(principal: Principal): number {
    return hasOwnLimits(principal.id) ? this.#options.shares.limits.sessions : 0;
  }

  async #load(id: string, principal: Principal): Promise<Session | undefined> {
    const { store } = this.#options;
    const record = await store.read(id);
    if (record?.principal !== principal.id) return undefined;
    const session = await this.#factory.restore(record, principal);
    if (session)
      await store.touch([{ id, principal: principal.id }]).catch((error: Error) => this.#report(error));
    return session;
  }

  /** The token has other scopes now: the session leaves memory, and is restored with what the token may do now. */
  #retire(session: Session): void {
    this.live.delete(session.id);
    session.endStream?.();
    session.transport.openStreams();
    this.journal.fail(session.id, (request) =>
      lostCall(request, "The call was ended: the scopes of its token changed. Call again."),
    );
    session.server.close().catch((error: Error) => this.#report(error));
  }

  /** The client deletes the session. @throws StoreUnavailable */
  async remove(session: Session): Promise<void> {
    this.live.delete(session.id);
    this.#pendingWrites.delete(session.id);
    session.endStream?.();
    await this.journal.forget(session.id);
    try {
      await this.#options.store.remove(session.id);
      await this.#cluster.send("closed", { session: session.id });
    } finally {
      await session.server.close();
    }
  }

  /** Another instance removed the session. */
  #drop(session: Session): void {
    this.live.delete(session.id);
    session.endStream?.();
    void this.journal.forget(session.id);
    session.server.close().catch(() => undefined);
  }

  #handlers(): MessageHandlers {
    const { instance } = this.#cluster;
    const inMemory =
      <M extends { session: string }>(handle: (session: Session, message: M) => void) =>
      (message: M) => {
        const session = this.live.get(message.session);
        if (session) handle(session, message);
      };
    return {
      hello: () => void this.#cluster.peers.learn(),
      wakeup: ({ session, stream }) => void this.journal.wake(session, stream),
      request: ({ session, stream, from }) =>
        void this.journal
          .expose(session, stream, from)
          .then(async (known) => {
            if (known) await this.#cluster.send("wakeup", { session, stream, from: instance }, from);
          })
          .catch((error: Error) => this.#report(error)),
      answer: inMemory((session, { message }) => session.transport.receive(message)),
      cancelled: inMemory((session, { message }) => void this.router.cancel(session, message)),
      claim: inMemory((session, { claim }) => this.claims.onRemoteClaim(session, claim)),
      state: inMemory((session) => this.#states.refresh(session)),
      closed: inMemory((session) => this.#drop(session)),
    };
  }

  #report(error: Error): void {
    const { log } = this.#options;
    // An outage is reported once, by store/outages.ts.
    if (error instanceof StoreUnavailable) log.debug({ reason: error.reason }, "session store");
    else log.error({ err: error }, "sessions");
  }
}
