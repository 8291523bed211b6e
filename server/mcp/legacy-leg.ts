import { randomUUID } from "node:crypto";
import {
  isInitializeRequest,
  legacyStatelessFallback,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "../http/errors.ts";
import { authInfoOf, buildMcpServer, principalOf, type ServerParts } from "./server-factory.ts";
import type { SessionStore } from "./sessions.ts";

export interface LegacyRequest {
  readonly web: Request;
  readonly body: unknown;
  readonly principal: Principal;
}

export interface LegacyAnswer {
  readonly response: Response;
  readonly session?: string | undefined;
}

/**
 * The revisions 2024-10-07 to 2025-11-25: `initialize` opens a session, `Mcp-Session-Id` names it, GET is its notification stream.
 *
 * Liberal in what it takes, because real clients need it: a request without a session is answered statelessly (ChatGPT was seen to drop
 * the id), and a GET or DELETE without one gets 405, the one status at which Cursor, claude.ai and Claude Desktop all go on.
 */
export class LegacyLeg {
  readonly #parts: ServerParts;
  readonly #sessions: SessionStore;
  readonly #keepAliveMs: number;
  readonly #stateless: ReturnType<typeof legacyStatelessFallback>;

  constructor(parts: ServerParts, sessions: SessionStore, keepAliveMs: number) {
    this.#parts = parts;
    this.#sessions = sessions;
    this.#keepAliveMs = keepAliveMs;
    this.#stateless = legacyStatelessFallback(
      ({ authInfo }) => buildMcpServer(parts, principalOf(authInfo)),
      (error) => parts.log.debug({ reason: error.message }, "mcp fallback"),
    );
  }

  async handle(request: LegacyRequest): Promise<LegacyAnswer> {
    const { web, body, principal } = request;
    const id = web.headers.get("mcp-session-id");
    if (id) {
      const session = await this.#sessions.get(id);
      // Somebody else's session is answered as an unknown one: an id found out by chance tells nothing.
      if (session?.principal !== principal.id) return { response: refuse(404, -32_001, "Session not found") };
      return { response: await session.transport.handleRequest(web, { parsedBody: body }), session: id };
    }
    if (web.method !== "POST")
      return { response: refuse(405, -32_000, "Method not allowed: no session is named", { allow: "POST" }) };
    if (isInitializeRequest(body)) return this.#open(request);
    return { response: await this.#stateless(web, { parsedBody: body, authInfo: authInfoOf(principal) }) };
  }

  async #open({ web, body, principal }: LegacyRequest): Promise<LegacyAnswer> {
    const id = randomUUID();
    const server = buildMcpServer(this.#parts, principal);
    let full = false;
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      keepAliveMs: this.#keepAliveMs,
      onsessioninitialized: async () => {
        full = !(await this.#sessions.put({ id, principal: principal.id, transport, server }));
      },
      onsessionclosed: () => this.#sessions.delete(id),
    });
    await server.connect(transport);
    const response = await transport.handleRequest(web, { parsedBody: body });
    if (full) {
      await server.close();
      return {
        response: refuse(503, -32_000, "Too many sessions are open; try again soon", { "retry-after": "10" }),
      };
    }
    // A malformed initialize was answered by an error and opened nothing.
    if (transport.sessionId === undefined) await server.close();
    return { response, session: transport.sessionId };
  }
}

function refuse(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(jsonRpcError(code, message), { status, headers });
}
