import { hostname } from "node:os";
import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import Fastify, { type FastifyInstance, LogController } from "fastify";
import { anonymousAuthenticator } from "./auth/guard.ts";
import { TokenAuthenticator } from "./auth/token-authenticator.ts";
import type { ServerConfig } from "./config.ts";
import { registerDemoStream } from "./http/demo-stream.ts";
import { registerErrors } from "./http/errors.ts";
import { allowedNames } from "./http/hosts.ts";
import { LANDING_HEADERS, landingPage } from "./http/landing.ts";
import { Lifecycle } from "./http/lifecycle.ts";
import { type LogStream, loggerOptions } from "./http/logging.ts";
import { type Check, ReadinessProbe, withoutDetails } from "./http/readiness.ts";
import { requestId } from "./http/request-id.ts";
import { Streams } from "./http/streams.ts";
import { registerMcp } from "./mcp/endpoint.ts";
import type { LiveSessionsOptions } from "./mcp/live-sessions.ts";
import type { Profile } from "./mcp/server-factory.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { TOOLS } from "./tools/index.ts";
import type { Tool } from "./tools/tool.ts";
import { isWorkTree } from "./workspace/git.ts";
import { findRipgrep, ripgrepVersion } from "./workspace/ripgrep.ts";
import { Workspace } from "./workspace/workspace.ts";

export interface AppOptions {
  readonly config: ServerConfig;
  /** Between the comments that keep an idle event stream open, milliseconds. Default 15,000. */
  readonly keepAliveMs?: number;
  /** Where sessions are kept; closed with the app. Default: what the configuration names. */
  readonly store?: Store;
  /** How long and how many sessions stay in memory. */
  readonly live?: LiveSessionsOptions;
  /** What a test adds to every MCP server. */
  readonly profile?: Profile;
  readonly tools?: readonly Tool[];
  readonly logStream?: LogStream;
}

/** The whole server, not listening yet. */
export interface ServerApp {
  readonly http: FastifyInstance;
  readonly lifecycle: Lifecycle;
  readonly streams: Streams;
  readonly readiness: ReadinessProbe;
  /** Ends what is in flight and closes the server; see drain.ts for the graceful way. */
  close(): Promise<void>;
}

/** The composition root: everything is made and put together here, nothing listens, nothing is read from the environment. */
export async function createApp(options: AppOptions): Promise<ServerApp> {
  const { config } = options;
  const tools = options.tools ?? TOOLS;
  const keepAliveMs = options.keepAliveMs ?? 15_000;
  const http = Fastify({
    logger: loggerOptions(config, options.logStream),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: requestId,
    trustProxy: "loopback",
    forceCloseConnections: true,
    return503OnClosing: false,
    // Longer than an edge keeps its side open (NGINX: 60 s), so that it is the edge that closes an idle connection.
    keepAliveTimeout: 75_000,
    // Node counts only the time until the whole request has arrived: streams are not cut by it.
    requestTimeout: 120_000,
  });
  http.decorateRequest("principal", null);

  const lifecycle = new Lifecycle();
  const streams = new Streams();
  const store = options.store ?? (await openStore(config, (problem) => http.log.error(problem)));
  const workspace = new Workspace(config.workspace);
  const ripgrep = await findRipgrep(config.ripgrepPath).catch((error: Error) => error);
  const tokens = new TokenAuthenticator(config.tokensFile, (problem) =>
    http.log.error({ reason: problem.message }, "tokens file"),
  );

  const checks: Check[] = [
    { name: "workspace", run: () => checkWorkspace(workspace) },
    {
      name: "ripgrep",
      run: async () => {
        if (ripgrep instanceof Error) throw ripgrep;
        return ripgrepVersion(ripgrep);
      },
    },
    { name: "store", run: () => store.check() },
    ...(config.authMode === "token"
      ? [{ name: "tokens", run: async () => `${await tokens.check()} in ${config.tokensFile}` }]
      : []),
  ];
  const readiness = new ReadinessProbe(checks, () => ({
    draining: lifecycle.draining,
    release: config.release,
    colour: config.colour,
  }));

  lifecycle.register(http);
  registerErrors(http);
  http.addHook("onRequest", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
  });
  const names = allowedNames(config);
  const mcp = await registerMcp(http, {
    parts: {
      tools,
      context: { workspace, ripgrep: ripgrep instanceof Error ? "rg" : ripgrep },
      log: http.log,
      profile: options.profile,
    },
    authenticator: config.authMode === "none" ? anonymousAuthenticator : tokens,
    store,
    slot: config.colour && `${hostname()}:${config.colour}`,
    live: options.live,
    streams,
    keepAliveMs,
    names,
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
    plain.get("/", async (request, reply) => {
      const origin = config.publicUrl?.origin ?? `http://${request.headers.host}`;
      return reply
        .headers(LANDING_HEADERS)
        .send(landingPage({ origin, needsToken: config.authMode === "token", tools }));
    });
  });

  return {
    http,
    lifecycle,
    streams,
    readiness,
    close: async () => {
      streams.endAll();
      await mcp.close();
      await store.close();
      http.server.closeAllConnections();
      await http.close();
    },
  };
}

async function checkWorkspace(workspace: Workspace): Promise<string> {
  const all = await workspace.repositories();
  for (const repo of all)
    if (await isWorkTree(repo.root)) return `${all.length} repositories in ${workspace.dir}`;
  throw new Error(
    all.length === 0
      ? `no git repository in ${workspace.dir}; put one there: git clone URL ${workspace.dir}/NAME`
      : `git can read none of ${all.map((r) => r.root).join(", ")}; see: git -C ${all[0]?.root} status`,
  );
}
