import { hostname } from "node:os";
import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from "fastify";
import { registerApi } from "./api/tools-api.ts";
import { AuthEvents } from "./auth/events.ts";
import type { DocumentFetch } from "./auth/oauth/client-documents.ts";
import { type Auth, openAuth } from "./auth/open-auth.ts";
import { openUsage } from "./auth/open-usage.ts";
import { NOBODY, type People } from "./auth/people.ts";
import { Usage } from "./auth/usage.ts";
import { Capabilities } from "./capabilities/registry.ts";
import { closeInSteps } from "./closing.ts";
import type { ServerConfig } from "./config/config.ts";
import { ARRIVAL, registerArrival } from "./http/arrival.ts";
import { BODY_LIMIT } from "./http/body-limit.ts";
import { registerCors } from "./http/cors.ts";
import { registerDemoStream } from "./http/demo-stream.ts";
import { acceptEmptyBodies } from "./http/empty-body.ts";
import { registerErrors } from "./http/errors.ts";
import { allowedNames } from "./http/hosts.ts";
import { landingPage } from "./http/landing.ts";
import { Lifecycle } from "./http/lifecycle.ts";
import { openBuckets } from "./http/limits/open-buckets.ts";
import { registerOverload } from "./http/limits/overload.ts";
import { registerQuotas } from "./http/limits/quota.ts";
import { type RefusalReason, registerRateLimits } from "./http/limits/rate-limit.ts";
import { type LogStream, loggerOptions } from "./http/logging.ts";
import { opsOnly, registerOps } from "./http/ops.ts";
import { PAGE_HEADERS } from "./http/page.ts";
import { type Check, ReadinessProbe, withoutDetails } from "./http/readiness.ts";
import { type StreamLimits, Streams } from "./http/streams.ts";
import { refuseEventStreamClients, registerWrongEndpoints } from "./http/wrong-endpoint.ts";
import { CodeIndex } from "./index/code-index.ts";
import { Semantic } from "./index/semantic/semantic.ts";
import { type Mcp, registerMcp } from "./mcp/endpoint.ts";
import type { LiveSessionsOptions } from "./mcp/live-sessions.ts";
import type { Profile } from "./mcp/server-parts.ts";
import { Metrics } from "./metrics/metrics.ts";
import { observedTool } from "./metrics/observed-tool.ts";
import { requestFacts } from "./metrics/request-facts.ts";
import { registerCaller } from "./shares/caller.ts";
import { limitedTool } from "./shares/limited-tool.ts";
import { Shares } from "./shares/shares.ts";
import { openStore } from "./store/open.ts";
import { withOutages } from "./store/outages.ts";
import type { Store } from "./store/store.ts";
import { TOOLS } from "./tools/index.ts";
import type { Tool } from "./tools/tool.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { workspaceCheck } from "./workspace/check.ts";
import { provideGit } from "./workspace/git.ts";
import { findRipgrep, ripgrepVersion } from "./workspace/ripgrep.ts";
import { syncNews } from "./workspace/sync/news.ts";
import { Sync } from "./workspace/sync/sync.ts";
import { Workspace } from "./workspace/workspace.ts";

export interface AppOptions {
  readonly config: ServerConfig;
  /** Between the comments that keep an idle event stream open, milliseconds. Default 15,000. */
  readonly keepAliveMs?: number;
  /** Where sessions are kept; closed with the app. Default: what the configuration names. */
  readonly store?: Store;
  /** How long and how many sessions stay in memory. */
  readonly live?: LiveSessionsOptions;
  /** What may wait for clients that do not read. */
  readonly streams?: Partial<StreamLimits>;
  /** What a test adds to every MCP server. */
  readonly profile?: Profile;
  readonly tools?: readonly Tool[];
  /** Who may sign in. Default: nobody. */
  readonly people?: People;
  /** How metadata documents of OAuth clients are fetched. Default: from the public internet only. */
  readonly fetchClientDocument?: DocumentFetch;
  readonly logStream?: LogStream;
  /** Default: no spans. */
  readonly tracing?: Tracing | undefined;
}

/** The whole server, not listening yet. */
export interface ServerApp {
  readonly http: FastifyInstance;
  readonly lifecycle: Lifecycle;
  readonly streams: Streams;
  readonly readiness: ReadinessProbe;
  readonly capabilities: Capabilities;
  /** Who may call, and the authorization server. */
  readonly auth: Auth;
  readonly authEvents: AuthEvents;
  /** Adds what an operator asks for (/metrics, /capz) to another server: the private socket's. */
  registerOps(app: FastifyInstance): void;
  /** Begins the work that goes on beside the requests: the index. Without it the tools that need one are not offered. */
  start(): Promise<void>;
  /** Ends what is in flight and closes the server; see drain.ts for the graceful way. */
  close(): Promise<void>;
}

/** The composition root: everything is made and put together here, nothing listens, nothing is read from the environment. */
export async function createApp(options: AppOptions): Promise<ServerApp> {
  const { config } = options;
  const keepAliveMs = options.keepAliveMs ?? 15_000;
  const http = Fastify({
    logger: loggerOptions(config, options.logStream),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    ...ARRIVAL,
    bodyLimit: BODY_LIMIT,
    trustProxy: "loopback",
    forceCloseConnections: true,
    return503OnClosing: false,
    // Longer than an edge keeps its side open (NGINX: 60 s), so that it is the edge that closes an idle connection.
    keepAliveTimeout: 75_000,
    // Node counts only the time until the whole request has arrived: streams are not cut by it.
    requestTimeout: 120_000,
    // Node looks for late ones each 30 s unless told otherwise.
    http: { headersTimeout: 30_000, connectionsCheckingInterval: 5_000 },
    // No limit on a silent connection: an event stream is silent for 15 s at a time, and a slow call for longer.
    connectionTimeout: 0,
  });
  http.decorateRequest("principal", null);

  const lifecycle = new Lifecycle();
  const streams = new Streams(options.streams);
  let mcp: Mcp | undefined;
  const capabilities = new Capabilities();
  const opened =
    options.store ??
    (await openStore(config, capabilities, (problem) =>
      http.log.error({ reason: problem }, "session store"),
    ));
  const store = withOutages(opened, {
    onAway: (reason) =>
      http.log.error({ reason, store: opened.name }, "session store is away; sessions in memory go on"),
    onBack: () => http.log.warn({ store: opened.name }, "session store is back"),
  });
  const metrics = new Metrics({
    inFlight: () => lifecycle.inFlight,
    openStreams: () => streams.byRoute(),
    queuedBytes: () => streams.queuedBytes,
    sessions: () => ({ open: mcp?.sessions ?? 0, oldestMs: mcp?.oldestSessionMs }),
    release: config.release,
    colour: config.slot,
  });
  lifecycle.onEnded = (request, reply) => metrics.request(requestFacts(request, reply));
  streams.onEnded = (end) => metrics.streamEnded(end);
  const refused = (reason: RefusalReason) => metrics.refused(reason);
  const shares = new Shares(config.shares);
  const tools = (options.tools ?? TOOLS).map((tool) => {
    const observed = observedTool(limitedTool(tool, shares.calls), metrics);
    return options.tracing?.tool(observed) ?? observed;
  });
  const onProblem = (problem: Error) => http.log.warn({ reason: problem.message }, "usage");
  const usage = new Usage(openUsage(config, capabilities, onProblem), { onProblem });
  await usage.flush();
  const buckets = openBuckets(config.storeUrl, capabilities, (reason) => http.log.warn({ reason }, "limits"));
  const workspace = new Workspace(config.workspace);
  const ripgrep = await findRipgrep(config.ripgrepPath).catch((error: Error) => error);
  await provideGit(capabilities);
  const index = new CodeIndex({ ...config.index, workspace, capabilities, log: http.log });
  const semantic = new Semantic({
    ...config.index,
    service: config.embeddings,
    workspace,
    capabilities,
    log: http.log,
  });
  const sync = new Sync({
    ...config.sync,
    dir: config.workspace.dir,
    log: http.log,
    onChanged: () => void index.refresh(),
  });
  const authEvents = new AuthEvents((error) => http.log.error({ err: error }, "auth events"));
  const auth = await openAuth({
    config,
    people: options.people ?? NOBODY,
    events: authEvents,
    buckets,
    fetch: options.fetchClientDocument,
    onProblem: (problem) => http.log.error({ reason: problem.message }, "auth"),
  });
  const version = ripgrep instanceof Error ? ripgrep.message : await ripgrepVersion(ripgrep);
  capabilities.set("ripgrep", !(ripgrep instanceof Error), version);

  const checks: Check[] = [
    { name: "workspace", run: workspaceCheck(workspace, sync) },
    {
      name: "ripgrep",
      run: async () => {
        if (ripgrep instanceof Error) throw ripgrep;
        return version;
      },
    },
    // Every machine shares the store: if its outage counted, all machines would be taken out at once, and most of what they do needs no store.
    { name: "store", counts: false, run: () => store.check() },
    { name: "index", run: async () => index.describe() },
    ...auth.checks,
  ];
  const readiness = new ReadinessProbe(checks, () => ({
    draining: lifecycle.draining,
    release: config.release,
    colour: config.slot,
  }));

  const names = allowedNames(config);
  const needsToken = config.authMode !== "none";
  lifecycle.register(http);
  registerErrors(http);
  registerWrongEndpoints(http, config.serve, needsToken, ["oauth", "jwt"].includes(config.authMode));
  acceptEmptyBodies(http);
  registerArrival(http);
  options.tracing?.register(http);
  http.addHook("onRequest", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
  });
  // In this order: a page may read every refusal, and what is refused costs little.
  await registerCors(http, names.origins);
  await registerOverload(http, config.limits, refused);
  registerRateLimits(http, config.limits, buckets, refused);
  registerCaller(http);
  registerQuotas(http, config.limits.quotaPerDay, usage, refused);

  const context = { workspace, ripgrep: ripgrep instanceof Error ? "rg" : ripgrep, index, sync, semantic };
  const originOf = (request: FastifyRequest) =>
    config.publicUrl?.origin ?? `${request.protocol}://${request.host}`;
  mcp =
    config.serve === "api"
      ? undefined
      : await registerMcp(http, {
          parts: { tools, context, log: http.log, capabilities, profile: options.profile },
          auth,
          store,
          shares,
          slot: config.slot && `${hostname()}:${config.slot}`,
          live: options.live,
          streams,
          keepAliveMs,
          names,
        });
  sync.onState(syncNews((level, text) => mcp?.broadcast(level, "workspace", text)));
  if (config.serve !== "mcp")
    await registerApi(http, {
      tools,
      context,
      capabilities,
      authenticator: auth.authenticator,
      needsToken,
      names,
      originOf,
    });
  await auth.register(http, names.hosts);
  const ops = { metrics, capabilities, tools, release: config.release, colour: config.slot };
  await http.register(async (scope) => {
    scope.addHook("onRequest", hostHeaderValidation(names.hosts));
    scope.addHook("onRequest", opsOnly(auth.authenticator));
    registerOps(scope, ops);
  });
  await http.register(async (plain) => {
    plain.addHook("onRequest", hostHeaderValidation(names.hosts));
    registerDemoStream(plain, streams, keepAliveMs);
    plain.get("/readyz", async (_request, reply) => {
      const state = await readiness.probe();
      return reply
        .code(state.ready ? 200 : 503)
        .header("cache-control", "no-store")
        .send(withoutDetails(state));
    });
    plain.get("/", { onRequest: refuseEventStreamClients(config.serve) }, async (request, reply) => {
      const facts = { origin: originOf(request), needsToken, tools, serve: config.serve };
      return reply.headers(PAGE_HEADERS).send(landingPage(facts));
    });
  });

  return {
    http,
    lifecycle,
    streams,
    readiness,
    capabilities,
    auth,
    authEvents,
    registerOps: (app) => registerOps(app, ops),
    start: async () => {
      sync.start();
      await index.start();
      semantic.start();
    },
    close: async () => {
      // What clients would lose comes first; children of git and of the index may take their time.
      const steps = [
        { name: "streams", close: () => streams.endAll(), limitMs: 500 },
        { name: "sessions", close: () => mcp?.close(), limitMs: 1_000 },
        { name: "usage", close: () => usage.close(), limitMs: 500 },
        {
          name: "background work",
          close: () => Promise.all([sync.close(), semantic.close(), index.close()]),
          limitMs: 1_500,
        },
        { name: "auth", close: () => auth.close(), limitMs: 200 },
        { name: "limits", close: () => buckets.close(), limitMs: 100 },
        { name: "store", close: () => store.close(), limitMs: 500 },
        {
          name: "connections",
          close: () => {
            http.server.closeAllConnections();
            return http.close();
          },
          limitMs: 500,
        },
        { name: "metrics", close: () => metrics.close(), limitMs: 100 },
      ];
      await closeInSteps(steps, http.log);
    },
  };
}
