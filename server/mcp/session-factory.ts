import { type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import type { Shares } from "../shares/shares.ts";
import { INITIAL_STATE, type StateChange } from "../store/session-state.ts";
import type { SessionRecord } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import type { LiveSessions } from "./live-sessions.ts";
import { ReplayRefused, replay } from "./replay.ts";
import { sdkErrors } from "./sdk-errors.ts";
import type { Session, SessionHooks } from "./session.ts";
import { SessionServer, SessionServers } from "./session-server.ts";
import { SessionTransport } from "./session-transport.ts";

/** Maximum number of resources that one session may follow: each is checked every two seconds. */
const MAX_SUBSCRIPTIONS = 100;

export interface SessionFactoryOptions {
  readonly instance: string;
  readonly build: (principal: Principal, hooks: SessionHooks) => McpServer;
  /** See SessionServerOptions. */
  readonly buildOpening?: ((principal: Principal, hooks: SessionHooks) => McpServer) | undefined;
  readonly journal: Journal;
  readonly live: LiveSessions;
  readonly shares: Shares;
  readonly keepAliveMs: number;
  readonly log: FastifyBaseLogger;
  /** Of the SDK, at a time. Default 500. */
  readonly maxServers?: number | undefined;
  /** Changes the state of a session. */
  readonly change: (session: Session, change: StateChange) => Promise<void>;
}

/** Makes the server and the transport of a session: for a new one, or again from its record. */
export class SessionFactory {
  readonly #options: SessionFactoryOptions;
  readonly #servers: SessionServers;

  constructor(options: SessionFactoryOptions) {
    this.#options = options;
    this.#servers = new SessionServers(options.maxServers);
  }

  /**
   * @param onOpen called when the SDK has accepted the client's `initialize`
   * @param buildOpening builds the server that answers it, if it is not to be kept
   */
  create(
    id: string,
    principal: Principal,
    onOpen: (session: Session) => Promise<void>,
    buildOpening?: SessionFactoryOptions["buildOpening"],
  ): Session {
    const { instance, build, journal, keepAliveMs, log, change } = this.#options;
    const hooks: SessionHooks = {
      subscribe: (uri, version) => {
        this.#checkSubscriptions(session, uri);
        return change(session, { subscribe: { [uri]: version } });
      },
      unsubscribe: (uri) => change(session, { unsubscribe: [uri] }),
    };
    const transport = new SessionTransport({
      instance,
      keepAliveMs,
      session: { id, journal, onOpen: () => onOpen(session) },
    });
    const reporting = (built: McpServer) => {
      built.server.onerror = sdkErrors(log, { session: id });
      return built;
    };
    const server = new SessionServer(
      {
        transport,
        build: () => reporting(build(principal, hooks)),
        buildOpening: buildOpening && (() => reporting(buildOpening(principal, hooks))),
        replay: () => (session.initialize === undefined ? undefined : () => replay(session)),
      },
      this.#servers,
    );
    const session: Session = {
      id,
      principal,
      server,
      transport,
      initialize: undefined,
      state: INITIAL_STATE,
      stored: false,
      unconfirmed: new Set(),
      endStream: undefined,
      claim: undefined,
      remoteClaim: 0,
      refreshing: undefined,
      notifying: undefined,
    };
    return session;
  }

  /** Makes a session again from its record, in memory. @returns undefined when the SDK refuses it */
  async restore(record: SessionRecord, principal: Principal): Promise<Session | undefined> {
    const { live, log } = this.#options;
    const session = this.create(record.id, principal, async () => undefined);
    session.stored = true;
    session.initialize = record.params;
    session.state = record.state;
    try {
      (await session.server.hold())();
      live.put(session);
    } catch (error) {
      await session.server.close();
      if (!(error instanceof ReplayRefused)) throw error;
      // A newer SDK may refuse what an older one accepted. After 404 (unknown) the client starts a new session; after any other error it
      // would retry for ever.
      log.warn({ session: record.id, reason: error.message }, "session cannot be restored");
      return undefined;
    }
    log.info({ session: record.id }, "session restored");
    return session;
  }

  /** @throws ProtocolError when the session, or its token, follows the maximum number of resources already */
  #checkSubscriptions(session: Session, uri: string): void {
    const { live, shares } = this.#options;
    const { id } = session.principal;
    if (uri in session.state.subscriptions) return;
    if (Object.keys(session.state.subscriptions).length >= MAX_SUBSCRIPTIONS)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `Too many resources: a session may follow ${MAX_SUBSCRIPTIONS}. Unsubscribe from some first.`,
      );
    const others = live.values().filter((other) => other.principal.id === id);
    const followed = others.reduce((sum, { state }) => sum + Object.keys(state.subscriptions).length, 0);
    try {
      // Checked, but not held: sessions enter and leave memory with what they follow.
      shares.resources.open(id, followed + 1)();
    } catch (error) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, (error as Error).message);
    }
  }
}
