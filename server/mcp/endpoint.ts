import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import {
  classifyInboundRequest,
  createMcpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { guard } from "../auth/guard.ts";
import { type Authenticator, type Principal, SCOPES } from "../auth/principal.ts";
import { endRevokedStreams } from "../auth/revoked-streams.ts";
import { BODY_LIMIT } from "../http/body-limit.ts";
import { acceptOnlyEmptyBodies } from "../http/empty-body.ts";
import { ParseError, Refusal } from "../http/errors.ts";
import { goneSignal } from "../http/gone.ts";
import type { AllowedNames } from "../http/hosts.ts";
import { requireAllowedOrigin } from "../http/origins.ts";
import { SSE_HEADERS, type Streams } from "../http/streams.ts";
import type { Shares } from "../shares/shares.ts";
import type { Store } from "../store/store.ts";
import { acceptForSdk, inReadableType, readableTypes } from "./accept.ts";
import { refuseLargeBatch } from "./batch-limit.ts";
import { listStamps } from "./catalog.ts";
import { Changes, type Notify } from "./changes.ts";
import { type LegacyAnswer, LegacyLeg } from "./legacy-leg.ts";
import { lenientMessages } from "./lenient-messages.ts";
import { isListen, Listens } from "./listens.ts";
import type { LiveSessionsOptions } from "./live-sessions.ts";
import { resourceVersion } from "./resources.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { authInfoOf, buildMcpServer, principalOf, type ServerParts } from "./server-factory.ts";
import { Sessions, type SessionsOptions } from "./sessions.ts";
import { Watch } from "./watch.ts";

export interface EndpointOptions {
  readonly parts: Omit<ServerParts, "notify" | "calls" | "startedAt">;
  readonly authenticator: Authenticator;
  /** Where the sessions are kept. It stays the caller's to close. */
  readonly store: Store;
  /** What each token may have at once. */
  readonly shares: Shares;
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
  const { streams, keepAliveMs, store, shares, slot, live } = options;
  const changes = new Changes();
  const parts: ServerParts = {
    ...options.parts,
    calls: options.shares.calls,
    notify: changes,
    startedAt: performance.now(),
  };
  const { log } = parts;
  const lists = (principal: Principal) => listStamps(parts, principal);
  const build: SessionsOptions["build"] = (principal, hooks) =>
    buildMcpServer(parts, { principal, era: "legacy", hooks });
  const sessions = new Sessions({ store, shares, build, lists, changes, log, keepAliveMs, slot, live });
  const version = (uri: string) => resourceVersion(parts.context.workspace, uri);
  const watch = new Watch({ sessions, changes, lists, version, log, everybody: EVERYBODY });
  const legacy = new LegacyLeg(parts, sessions, watch);
  const follows = async ({ scopes }: Principal, uri: string) =>
    parts.profile?.watches?.(uri) || (scopes.includes("code:read") && (await version(uri)) !== "");
  const buildModern: McpServerFactory = ({ authInfo, requestInfo }) =>
    buildMcpServer(parts, {
      principal: principalOf(authInfo),
      era: "modern",
      method: requestInfo?.headers.get("mcp-method") ?? undefined,
      tool: calledTool(parts, requestInfo?.headers),
    });
  const onerror = sdkErrors(log);
  const handlerOptions = { legacy: "reject", bus: changes, keepAliveMs, onerror } as const;
  const modern = createMcpHandler(buildModern, handlerOptions);
  const listens = new Listens({ build: buildModern, handler: handlerOptions, watch, shares, follows });
  // A tool that comes or goes is told at once, not at the next look.
  const unsubscribe = parts.capabilities?.onChange(() => void watch.look());
  const stopLooking = endRevokedStreams(streams, options.authenticator, (error) =>
    log.error({ err: error }, "tokens of open streams"),
  );
  await sessions.start();
  watch.start();

  async function ask(web: Request, body: unknown, principal: Principal): Promise<LegacyAnswer> {
    if (isListen(body)) return listens.handle(web, body, principal);
    return { response: await modern.fetch(web, { parsedBody: body, authInfo: authInfoOf(principal) }) };
  }

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { principal } = request;
    if (!principal) throw new Error("a request came past the guard");
    const body = lenientMessages(request.body);
    if (request.method === "POST" && body === undefined)
      throw new Refusal(
        400,
        "Invalid request: the body is empty; POST one JSON-RPC message",
        undefined,
        -32_600,
      );
    refuseLargeBatch(body);
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
    const signal = goneSignal(reply);
    const web = webRequest(request, signal);
    const { kind } = classifyInboundRequest({
      httpMethod: request.method,
      ...present("protocolVersionHeader", web.headers.get("mcp-protocol-version")),
      ...present("mcpMethodHeader", web.headers.get("mcp-method")),
      ...present("mcpNameHeader", web.headers.get("mcp-name")),
      ...(body === undefined ? {} : { body }),
    });
    const answer: LegacyAnswer =
      kind === "legacy" ? await legacy.handle({ web, body, principal }) : await ask(web, body, principal);
    const { session, paced, onEnd, onDrain } = answer;
    const response = await inReadableType(answer.response, readable, signal, Array.isArray(body)).catch(
      (error) => {
        onEnd?.("client_closed");
        throw signal.aborted ? new Refusal(499, "The caller has gone") : error;
      },
    );
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
      principal,
      standing: request.method === "GET" || isListen(body),
      ...present("paced", paced),
      log: request.log,
      abort: () => reply.raw.destroy(),
      onDrain,
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
    acceptOnlyEmptyBodies(mcp);
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
      stopLooking();
      watch.stop();
      await modern.close();
      await sessions.close();
    },
  };
}

/** The request as the SDK takes it, without the credentials: what a tool cannot see it cannot leak. */
function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "authorization" && name !== "cookie")
      headers.set(name, name.startsWith("mcp-") ? once(String(value)) : String(value));
  headers.set("accept", acceptForSdk(request.method));
  return new Request(`http://${request.headers.host ?? "localhost"}/mcp`, {
    method: request.method,
    headers,
    signal,
  });
}

/** A header that was sent twice with the same value, by a client and by what its user configured, means that value. */
function once(value: string): string {
  const [first = "", ...others] = value.split(", ");
  return others.every((other) => other === first) ? first : value;
}

function present<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return value == null ? {} : ({ [key]: value } as { [P in K]?: V });
}

/** The tool that the headers name (SEP-2243); the SDK refuses a request whose body names another. */
function calledTool({ tools }: ServerParts, headers: Headers | undefined): string | undefined {
  if (headers?.get("mcp-method") !== "tools/call") return undefined;
  const name = headers.get("mcp-name");
  return tools.find((tool) => tool.name === name)?.name;
}
