import type { FastifyInstance } from "fastify";
import { type AuthenticatorFor, guard } from "../auth/guard.ts";
import type { Auth } from "../auth/open-auth.ts";
import type { Principal } from "../auth/principal.ts";
import { endRevokedStreams } from "../auth/revoked-streams.ts";
import { BODY_LIMIT } from "../http/body-limit.ts";
import { acceptOnlyEmptyBodies } from "../http/empty-body.ts";
import { ParseError } from "../http/errors.ts";
import { type AllowedNames, requireAllowedHost } from "../http/hosts.ts";
import { requireAllowedOrigin } from "../http/origins.ts";
import type { Streams } from "../http/streams.ts";
import type { Shares } from "../shares/shares.ts";
import type { Store } from "../store/store.ts";
import { ChangeBus } from "./change-bus.ts";
import { ChangeWatcher } from "./change-watcher.ts";
import { EraDispatch } from "./era-dispatch.ts";
import { httpHandler } from "./http-handler.ts";
import { listFingerprints } from "./list-kinds.ts";
import type { LiveSessionsOptions } from "./live-sessions.ts";
import { wantsLog } from "./log-levels.ts";
import type { MessageObserver } from "./message-observer.ts";
import { visibleVersion } from "./resources.ts";
import { buildMcpServer } from "./server-factory.ts";
import type { ServerParts } from "./server-parts.ts";
import { Sessions } from "./sessions.ts";

export interface EndpointOptions {
  readonly parts: Omit<ServerParts, "publish" | "calls" | "startedAt">;
  readonly auth: Pick<Auth, "authenticator" | "everywhere" | "tokens">;
  /** Where the sessions are kept. The caller closes it. */
  readonly store: Store;
  /** The limits of each token. */
  readonly shares: Shares;
  /** See ClusterOptions. */
  readonly slot: string;
  readonly live?: LiveSessionsOptions | undefined;
  readonly streams: Streams;
  readonly keepAliveMs: number;
  readonly names: AllowedNames;
  readonly observer?: MessageObserver | undefined;
}

/** The MCP endpoint, as the rest of the server sees it. */
export interface Mcp {
  /** Number of sessions in memory. */
  readonly sessions: number;
  /** Age of the oldest of them, milliseconds; undefined without one. */
  readonly oldestSessionMs: number | undefined;
  /** Sends a `notifications/message` to every 2025 session that may see the repository, has a stream open, and asked for this level. */
  broadcast(level: "info" | "warning", logger: string, text: string, repository: string): void;
  /** Ends what is in progress; call it after a drain. */
  close(): Promise<void>;
}

/**
 * Registers `/mcp` for both protocol eras, and `/mcp/token`, which takes static tokens only: some clients ignore the token that their user
 * pasted wherever they are told of OAuth. Both also with a trailing slash.
 *
 * @throws when the store does not work
 */
export async function registerMcp(app: FastifyInstance, options: EndpointOptions): Promise<Mcp> {
  const { streams, keepAliveMs, store, shares, slot, live, auth, observer } = options;
  const changes = new ChangeBus();
  const parts: ServerParts = {
    ...options.parts,
    calls: shares.calls,
    publish: (event) => changes.publish(event),
    startedAt: performance.now(),
  };
  const { log } = parts;
  const lists = (principal: Principal) => listFingerprints(parts, principal);
  const sessions = new Sessions({
    store,
    shares,
    build: (principal, hooks) => buildMcpServer(parts, { principal, era: "legacy", hooks }),
    // What a profile registers may change the answer.
    buildOpening: parts.profile
      ? undefined
      : (principal, hooks) =>
          buildMcpServer(parts, { principal, era: "legacy", hooks, method: "initialize" }),
    lists,
    log,
    keepAliveMs,
    slot,
    live: observer ? { ...live, onLeft: (ms) => observer.sessionEnded(ms / 1_000) } : live,
  });
  const version = (principal: Principal, uri: string) => visibleVersion(parts, principal, uri);
  const view = (principal: Principal) => parts.grants.access(principal).key;
  const watcher = new ChangeWatcher({ sessions, changes, lists, version, view, log });
  const dispatch = new EraDispatch({ parts, changes, sessions, watcher, shares, keepAliveMs });
  // Clients are notified at once of a tool that comes or goes, not at the next periodic check.
  const unsubscribe = parts.capabilities?.onChange(() => void watcher.check());
  const stopChecks = endRevokedStreams(streams, auth.everywhere, (error) =>
    log.error({ err: error }, "tokens of open streams"),
  );
  await sessions.start();
  watcher.start();
  const handler = httpHandler(dispatch, streams, observer);
  await registerRoutes(app, ["/mcp", "/mcp/"], auth.authenticator, options.names, handler);
  const tokens = auth.tokens ?? auth.authenticator;
  await registerRoutes(app, ["/mcp/token", "/mcp/token/"], tokens, options.names, handler);
  return {
    get sessions() {
      return sessions.live.size;
    },
    get oldestSessionMs() {
      return sessions.live.oldestMs;
    },
    broadcast: (level, logger, text, repository) => {
      for (const { endStream, principal, transport, state } of sessions.live.values())
        if (
          endStream &&
          wantsLog(state.logLevel ?? "debug", level) &&
          parts.grants.access(principal).seesRepository(repository)
        )
          transport
            .notify("notifications/message", { level, logger, data: text })
            .catch((error: Error) => log.debug({ reason: error.message }, "mcp message"));
    },
    close: async () => {
      unsubscribe?.();
      stopChecks();
      watcher.stop();
      await dispatch.close();
      await sessions.close();
    },
  };
}

async function registerRoutes(
  app: FastifyInstance,
  paths: readonly string[],
  authenticator: AuthenticatorFor,
  names: AllowedNames,
  handler: ReturnType<typeof httpHandler>,
): Promise<void> {
  await app.register(async (mcp) => {
    mcp.addHook("onRequest", requireAllowedHost(names.hosts));
    mcp.addHook("onRequest", requireAllowedOrigin(names.origins));
    mcp.addHook("onRequest", guard(authenticator));
    mcp.removeAllContentTypeParsers();
    mcp.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (_request, text, done) => {
        // Python's clients end a session with a DELETE that has this type and no body.
        if (text === "") return done(null, undefined);
        try {
          done(null, JSON.parse(text as string));
        } catch {
          done(new ParseError());
        }
      },
    );
    acceptOnlyEmptyBodies(mcp);
    for (const url of paths)
      mcp.route({
        method: ["GET", "POST", "DELETE"],
        url,
        exposeHeadRoute: false,
        bodyLimit: BODY_LIMIT,
        handler,
      });
  });
}
