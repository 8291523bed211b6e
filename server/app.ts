import Fastify, { type FastifyInstance, LogController } from "fastify";
import type { AppOptions } from "./app-options.ts";
import { closeInSteps } from "./closing.ts";
import { BODY_LIMIT } from "./http/body-limit.ts";
import { type ServerLog, serverLog } from "./http/logging.ts";
import { isLoopbackAddress } from "./http/peer.ts";
import { TimedResponse } from "./http/timed-response.ts";
import { registerPlugins } from "./plugins/index.ts";
import { registerOps } from "./plugins/operations.ts";
import { REQUEST_CONTEXT } from "./plugins/request-context.ts";
import { openServices, type Services } from "./services.ts";
import { endIdleReaders } from "./workspace/git/objects.ts";
import { syncNews } from "./workspace/sync/news.ts";

/** The whole server, not listening yet. */
export interface ServerApp
  extends Pick<
    Services,
    "lifecycle" | "streams" | "readiness" | "capabilities" | "auth" | "authEvents" | "authTrace"
  > {
  readonly http: FastifyInstance;
  /** Adds `/metrics` and `/capz` to another server: that of the private socket. */
  registerOps(app: FastifyInstance): void;
  /** Starts the background work: copies of remotes and the index. Until then the tools that need an index are not offered. */
  start(): Promise<void>;
  /** Ends what is in flight and closes the server; see drain.ts for the graceful way. */
  close(): Promise<void>;
}

/**
 * Puts the server together: Fastify, the services and the plugins. Nothing listens yet, and nothing is read from the environment.
 */
export async function createApp(options: AppOptions): Promise<ServerApp> {
  const log = serverLog(options.config, options.logStream);
  const http = createFastify(log);
  const services = await openServices(options, http.log, log.request, () => ({
    open: http.mcp?.sessions ?? 0,
    oldestMs: http.mcp?.oldestSessionMs,
  }));
  await registerPlugins(http, services, { ...options, keepAliveMs: options.keepAliveMs ?? 15_000 });
  const { sync, index, semantic, history, ops } = services;
  sync.onState(syncNews((level, text, name) => http.mcp?.broadcast(level, "workspace", text, name)));
  return {
    ...services,
    http,
    registerOps: (app) => registerOps(app, ops),
    start: async () => {
      await history.start().catch((error: Error) => http.log.warn({ reason: error.message }, "status"));
      sync.start();
      await index.start();
      semantic.start();
    },
    close: () => close(http, services),
  };
}

function createFastify(log: ServerLog): FastifyInstance {
  return Fastify({
    logger: log.options,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    ...REQUEST_CONTEXT,
    bodyLimit: BODY_LIMIT,
    // A unix socket has no address, and no client behind it.
    trustProxy: (address: string | undefined) => address !== undefined && isLoopbackAddress(address),
    forceCloseConnections: true,
    return503OnClosing: false,
    // Longer than an edge keeps its side open (NGINX: 60 s), so that it is the edge that closes an idle connection.
    keepAliveTimeout: 75_000,
    // Node counts only the time until the whole request has arrived: streams are not cut by it.
    requestTimeout: 120_000,
    // Node checks for late requests each 30 s unless told otherwise.
    http: { headersTimeout: 30_000, connectionsCheckingInterval: 5_000, ServerResponse: TimedResponse },
    // No limit on a silent connection: an event stream is silent for 15 s at a time, and a slow call for longer.
    connectionTimeout: 0,
  });
}

/** What clients would lose comes first. Child processes of git and of the index may take their time. */
async function close(http: FastifyInstance, services: Services): Promise<void> {
  const { streams, usage, audit, sync, semantic, index, auth, buckets, store, metrics, history } = services;
  const steps = [
    { name: "streams", close: () => streams.endAll(), limitMs: 500 },
    { name: "sessions", close: () => http.mcp?.close(), limitMs: 1_000 },
    { name: "status", close: () => history.close(), limitMs: 200 },
    { name: "usage", close: () => usage.close(), limitMs: 500 },
    {
      name: "background work",
      close: () => Promise.all([sync.close(), semantic.close(), index.close(), endIdleReaders()]),
      limitMs: 1_500,
    },
    { name: "auth", close: () => auth.close(), limitMs: 200 },
    { name: "audit", close: () => audit.close(), limitMs: 500 },
    { name: "limits", close: () => buckets.close(), limitMs: 100 },
    { name: "store", close: () => store.close(), limitMs: 500 },
    {
      name: "connections",
      close: () => {
        streams.destroyConnections();
        http.server.closeAllConnections();
        return http.close();
      },
      limitMs: 500,
    },
    { name: "metrics", close: () => metrics.close(), limitMs: 100 },
  ];
  await closeInSteps(steps, http.log);
}
