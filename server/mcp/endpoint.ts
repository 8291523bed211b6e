import { hostHeaderValidation, originValidation } from "@modelcontextprotocol/fastify";
import { classifyInboundRequest, createMcpHandler } from "@modelcontextprotocol/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { guard } from "../auth/guard.ts";
import type { Authenticator } from "../auth/principal.ts";
import { ParseError } from "../http/errors.ts";
import { SSE_HEADERS, type Streams } from "../http/streams.ts";
import { LegacyLeg } from "./legacy-leg.ts";
import { authInfoOf, buildMcpServer, principalOf, type ServerParts } from "./server-factory.ts";
import type { SessionStore } from "./sessions.ts";

/** Largest request body, bytes: the SDK's own limit; Fastify's is 1 MiB. */
const BODY_LIMIT = 4 * 1024 * 1024;

export interface EndpointOptions {
  readonly parts: ServerParts;
  readonly authenticator: Authenticator;
  readonly sessions: SessionStore;
  readonly streams: Streams;
  readonly keepAliveMs: number;
  readonly names: { hosts: string[]; origins: string[] };
}

/**
 * `/mcp` and `/mcp/` for both protocol eras. The body is parsed once and classified from the parsed value; the answer is a web `Response`
 * given to `reply.send`, which keeps Fastify's hooks and notices at once when a client leaves (hijacking the reply does neither).
 *
 * @returns ends what is in flight in the 2026 era; call it after a drain
 */
export async function registerMcp(
  app: FastifyInstance,
  options: EndpointOptions,
): Promise<{ close(): Promise<void> }> {
  const { parts, sessions, streams, keepAliveMs } = options;
  const legacy = new LegacyLeg(parts, sessions, keepAliveMs);
  const modern = createMcpHandler(({ authInfo }) => buildMcpServer(parts, principalOf(authInfo)), {
    legacy: "reject",
    keepAliveMs,
    onerror: (error) => parts.log.debug({ reason: error.message }, "mcp refused"),
  });

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { principal } = request;
    if (!principal) throw new Error("a request came past the guard");
    const body = request.body;
    if (request.method === "POST" && body === undefined) throw new ParseError();
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
    const { response, session } =
      kind === "legacy"
        ? await legacy.handle({ web, body, principal })
        : {
            response: await modern.fetch(web, { parsedBody: body, authInfo: authInfoOf(principal) }),
            session: undefined,
          };
    const release = session ? sessions.hold(session) : undefined;
    const headers = new Headers(response.headers);
    // Hop-by-hop: Node's to say, and during a drain ours.
    headers.delete("connection");
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
      release?.();
      return reply.send(new Response(response.body, { status: response.status, headers }));
    }
    for (const [name, value] of Object.entries(SSE_HEADERS)) headers.set(name, value);
    const stream = streams.track(response.body, {
      route: "/mcp",
      session,
      standing: request.method === "GET" || isListen(body),
      log: request.log,
      ...(release ? { onEnd: release } : {}),
    });
    return reply.send(new Response(stream, { status: response.status, headers }));
  }

  await app.register(async (mcp) => {
    mcp.addHook("onRequest", hostHeaderValidation(options.names.hosts));
    mcp.addHook("onRequest", originValidation(options.names.origins));
    mcp.addHook("onRequest", guard(options.authenticator));
    mcp.removeAllContentTypeParsers();
    mcp.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: BODY_LIMIT },
      (_request, text, done) => {
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
  return { close: () => modern.close() };
}

/** `subscriptions/listen` (2026-07-28) is the one POST whose stream stands open. */
function isListen(body: unknown): boolean {
  return (
    typeof body === "object" && body !== null && "method" in body && body.method === "subscriptions/listen"
  );
}

/** The request as the SDK takes it, without the credentials: what a tool cannot see it cannot leak. */
function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "authorization" && name !== "cookie")
      headers.set(name, Array.isArray(value) ? value.join(", ") : String(value));
  return new Request(`http://${request.headers.host ?? "localhost"}/mcp`, {
    method: request.method,
    headers,
    signal,
  });
}

function present<K extends string>(key: K, value: string | null): { [P in K]?: string } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: string });
}
