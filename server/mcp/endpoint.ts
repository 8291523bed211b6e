import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import { classifyInboundRequest, createMcpHandler } from "@modelcontextprotocol/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { guard } from "../auth/guard.ts";
import { type Authenticator, type Principal, SCOPES } from "../auth/principal.ts";
import { ParseError, Refusal } from "../http/errors.ts";
import type { AllowedNames } from "../http/hosts.ts";
import { requireAllowedOrigin } from "../http/origins.ts";
import { SSE_HEADERS, type Streams } from "../http/streams.ts";
import type { Store } from "../store/store.ts";
import { acceptForSdk, inReadableType, readableTypes } from "./accept.ts";
import { listStamps } from "./catalog.ts";
import { Changes, type Notify } from "./changes.ts";
import { type LegacyAnswer, LegacyLeg } from "./legacy-leg.ts";
import type { LiveSessionsOptions } from "./live-sessions.ts";
import { resourceVersion } from "./resources.ts";
import { authInfoOf, buildMcpServer, principalOf, type ServerParts } from "./server-factory.ts";
import { Sessions, type SessionsOptions } from "./sessions.ts";
import { Watch } from "./watch.ts";

/** Largest request body, bytes: the SDK's own limit; Fastify's is 1 MiB. */
const BODY_LIMIT = 4 * 1024 * 1024;

/** Resources that one stream follows: each is looked at every two seconds. */
const MAX_LISTENED = 100;

export interface EndpointOptions {
  readonly parts: Omit<ServerParts, "notify">;
  readonly authenticator: Authenticator;
  /** Where the sessions are kept. It stays the caller's to close. */
  readonly store: Store;
  /** The place among the instances, see SessionsOptions. */
  readonly slot: string;
  readonly live?: LiveSessionsOptions | undefined;
  readonly streams: Streams;
  readonly keepAliveMs: number;
  readonly names: AllowedNames;
}

/** The endpoint, as the rest of the server sees it. */
export interface Mcp {
  /** How other parts say that tools, prompts or resources changed. */
  readonly notify: Notify;
  /** Sessions in memory. */
  readonly sessions: number;
  /** How long the oldest of them has been there; undefined without one. */
  readonly oldestSessionMs: number | undefined;
  /** A message (`notifications/message`) to every 2025 session that may read code, listens, and asked for such a level. */
  say(level: "info" | "warning", logger: string, text: string): void;
  /** Ends what is in flight; call it after a drain. */
  close(): Promise<void>;
}

/** Whose lists the streams of the 2026 era are told about: a change for somebody is worth a look for everybody. */
const EVERYBODY: Principal = { id: "", name: "", scopes: SCOPES };

/**
 * `/mcp` and `/mcp/` for both protocol eras. The body is parsed once and classified from the parsed value; the answer is a web `Response`
 * given to `reply.send`, which keeps Fastify's hooks and notices at once when a client leaves (hijacking the reply does neither).
 *
 * @throws when the store does not work
 */
export async function registerMcp(app: FastifyInstance, options: EndpointOptions): Promise<Mcp> {
  const { streams, keepAliveMs, store, slot, live } = options;
  const changes = new Changes();
  const parts: ServerParts = { ...options.parts, notify: changes };
  const { log } = parts;
  const lists = (principal: Principal) => listStamps(parts, principal);
  const build: SessionsOptions["build"] = (principal, hooks) =>
    buildMcpServer(parts, { principal, era: "legacy", hooks });
  const sessions = new Sessions({ store, build, lists, changes, log, keepAliveMs, slot, live });
  const version = (uri: string) => resourceVersion(parts.context.workspace, uri);
  const watch = new Watch({ sessions, changes, lists, version, log, everybody: EVERYBODY });
  const legacy = new LegacyLeg(parts, sessions, watch);
  const modern = createMcpHandler(
    ({ authInfo, requestInfo }) =>
      buildMcpServer(parts, {
        principal: principalOf(authInfo),
        era: "modern",
        method: requestInfo?.headers.get("mcp-method") ?? undefined,
        tool: calledTool(parts, requestInfo?.headers),
      }),
    {
      legacy: "reject",
      bus: changes,
      keepAliveMs,
      onerror: (error) => log.debug({ reason: error.message }, "mcp refused"),
    },
  );
  // A tool that comes or goes is told at once, not at the next look.
  const unsubscribe = parts.capabilities?.onChange(() => void watch.look());
  await sessions.start();
  watch.start();

  async function ask(web: Request, body: unknown, principal: Principal): Promise<LegacyAnswer> {
    const onEnd = isListen(body) ? await watch.listen(listenedUris(body)) : undefined;
    try {
      const response = await modern.fetch(web, { parsedBody: body, authInfo: authInfoOf(principal) });
      return onEnd ? { response, onEnd } : { response };
    } catch (error) {
      onEnd?.();
      throw error;
    }
  }

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { principal } = request;
    if (!principal) throw new Error("a request came past the guard");
    const body = request.body;
    if (request.method === "POST" && body === undefined)
      throw new Refusal(
        400,
        "Invalid request: the body is empty; POST one JSON-RPC message",
        undefined,
        -32_600,
      );
    const readable = readableTypes(request.headers.accept);
    const onlyStream = request.method === "GET" || isListen(body);
    // A GET without a session has no answer to read: it gets 405, the status at which clients go on without a stream.
    const answers = request.method === "POST" || request.headers["mcp-session-id"] !== undefined;
    if (answers && request.method !== "DELETE" && !readable.stream && (onlyStream || !readable.json)) {
      const types = onlyStream ? "text/event-stream" : "application/json or text/event-stream";
      throw new Refusal(
        406,
        `Not acceptable: the answer is ${types}; send Accept: application/json, text/event-stream`,
      );
    }
    const gone = new AbortController();
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    const web = webRequest(request, gone.signal);
    const { kind } = classifyInboundRequest({
      httpMethod: request.method,
      ...present("protocolVersionHeader", web.headers.get("mcp-protocol-version")),
      ...present("mcpMethodHeader", web.headers.get("mcp-method")),
      ...present("mcpNameHeader", web.headers.get("mcp-name")),
      ...(body === undefined ? {} : { body }),
    });
    const answer: LegacyAnswer =
      kind === "legacy" ? await legacy.handle({ web, body, principal }) : await ask(web, body, principal);
    const { session, onEnd } = answer;
    const response = await inReadableType(answer.response, readable, gone.signal).catch((error) => {
      onEnd?.("client_closed");
      throw error;
    });
    const headers = new Headers(response.headers);
    // Hop-by-hop: Node's to say, and during a drain ours.
    headers.delete("connection");
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      onEnd?.("completed");
      return reply.send(new Response(response.body, { status: response.status, headers }));
    }
    for (const [name, value] of Object.entries(SSE_HEADERS)) headers.set(name, value);
    const stream = streams.track(response.body, {
      route: "/mcp",
      session,
      standing: request.method === "GET" || isListen(body),
      log: request.log,
      ...(onEnd ? { onEnd } : {}),
    });
    return reply.send(new Response(stream, { status: response.status, headers }));
  }

  await app.register(async (mcp) => {
    mcp.addHook("onRequest", hostHeaderValidation(options.names.hosts));
    mcp.addHook("onRequest", requireAllowedOrigin(options.names.origins));
    mcp.addHook("onRequest", guard(options.authenticator));
    mcp.removeAllContentTypeParsers();
    mcp.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (_request, text, done) => {
        // Python's clients end a session by DELETE with this type and no body.
        if (text === "") return done(null, undefined);
        try {
          done(null, JSON.parse(text as string));
        } catch {
          done(new ParseError());
        }
      },
    );
    for (const url of ["/mcp", "/mcp/"])
      mcp.route({
        method: ["GET", "POST", "DELETE"],
        url,
        exposeHeadRoute: false,
        bodyLimit: BODY_LIMIT,
        handler: serve,
      });
  });
  return {
    notify: changes,
    get sessions() {
      return sessions.live.size;
    },
    get oldestSessionMs() {
      return sessions.live.oldestMs;
    },
    say: (level, logger, text) => {
      for (const session of sessions.live.values())
        if (session.endStanding && session.principal.scopes.includes("code:read"))
          session.server
            .sendLoggingMessage({ level, logger, data: text }, session.id)
            .catch((error: Error) => {
              log.debug({ reason: error.message }, "mcp message");
            });
    },
    close: async () => {
      unsubscribe?.();
      watch.stop();
      await modern.close();
      await sessions.close();
    },
  };
}

/** `subscriptions/listen` (2026-07-28) is the one POST whose stream stands open. */
function isListen(body: unknown): boolean {
  return (
    typeof body === "object" && body !== null && "method" in body && body.method === "subscriptions/listen"
  );
}

/** The resources that a `subscriptions/listen` names, as far as it is sound; the SDK answers what is not. */
function listenedUris(body: unknown): string[] {
  const named = (body as { params?: { notifications?: { resourceSubscriptions?: unknown } } }).params
    ?.notifications?.resourceSubscriptions;
  return Array.isArray(named) ? named.filter((uri) => typeof uri === "string").slice(0, MAX_LISTENED) : [];
}

/** The request as the SDK takes it, without the credentials: what a tool cannot see it cannot leak. */
function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "authorization" && name !== "cookie")
      headers.set(name, Array.isArray(value) ? value.join(", ") : String(value));
  headers.set("accept", acceptForSdk(request.method));
  return new Request(`http://${request.headers.host ?? "localhost"}/mcp`, {
    method: request.method,
    headers,
    signal,
  });
}

function present<K extends string>(key: K, value: string | null): { [P in K]?: string } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: string });
}

/** The tool that the headers name (SEP-2243); the SDK refuses a request whose body names another. */
function calledTool({ tools }: ServerParts, headers: Headers | undefined): string | undefined {
  if (headers?.get("mcp-method") !== "tools/call") return undefined;
  const name = headers.get("mcp-name");
  return tools.find((tool) => tool.name === name)?.name;
}
