import { randomUUID } from "node:crypto";
import { isInitializeRequest, legacyStatelessFallback } from "@modelcontextprotocol/server";
import type { DisconnectReason } from "../http/event-stream.ts";
import { Call } from "./call.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import { errorResponse, type McpRequest, type McpResponse } from "./exchange.ts";
import { type Message, messagesOf, requestIds } from "./messages.ts";
import { openNotificationStream } from "./notification-streams.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { authInfoOf, buildMcpServer, principalOf } from "./server-factory.ts";
import type { ServerParts } from "./server-parts.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/**
 * The revisions 2024-10-07 to 2025-11-25: `initialize` opens a session, `Mcp-Session-Id` names it, GET opens its notification stream.
 *
 * Liberal in what it accepts, because real clients need it. A request without a session is answered statelessly (ChatGPT was seen to drop
 * the id). A GET or DELETE without a session gets 405, the one status after which Cursor, claude.ai and Claude Desktop all continue.
 */
export class LegacyEndpoint {
  readonly #sessions: Sessions;
  readonly #watcher: ChangeWatcher;
  readonly #stateless: ReturnType<typeof legacyStatelessFallback>;

  constructor(parts: ServerParts, sessions: Sessions, watcher: ChangeWatcher) {
    this.#sessions = sessions;
    this.#watcher = watcher;
    this.#stateless = legacyStatelessFallback(
      ({ authInfo }) => buildMcpServer(parts, { principal: principalOf(authInfo), era: "legacy" }),
      sdkErrors(parts.log),
    );
  }

  async handle(request: McpRequest): Promise<McpResponse> {
    const { web, body, principal } = request;
    const id = web.headers.get("mcp-session-id");
    if (id) {
      const session = await this.#sessions.find(id, principal);
      // Another principal's session is answered as an unknown one, so that a guessed id reveals nothing.
      if (!session) return { response: errorResponse(404, -32_001, "Session not found") };
      return this.#serve(session, web, body);
    }
    if (web.method !== "POST")
      return {
        response: errorResponse(405, -32_000, "Method not allowed: no session is named", { allow: "POST" }),
      };
    const params = isInitializeRequest(body) ? body.params : undefined;
    if (params !== undefined) return this.#open(request, params);
    return { response: await this.#stateless(web, { parsedBody: body, authInfo: authInfoOf(principal) }) };
  }

  async #open({ web, body, principal }: McpRequest, params: unknown): Promise<McpResponse> {
    const session = this.#sessions.open(randomUUID(), principal, params);
    await session.server.connect(session.transport);
    const answer = await this.#post(session, web, body);
    if (session.transport.sessionId !== undefined && this.#sessions.live.get(session.id)) return answer;
    await session.server.close();
    // A malformed initialize was answered with an error, and opened nothing.
    if (session.transport.sessionId === undefined) return { response: answer.response };
    throw session.openError ?? new Error("the session was not kept");
  }

  async #serve(session: Session, web: Request, body: unknown): Promise<McpResponse> {
    const release = this.#sessions.live.hold(session.id);
    let streams = false;
    try {
      const answer = await this.#answer(session, web, body);
      streams = answer.response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
      const onEnd = (reason: DisconnectReason) => {
        release();
        answer.onEnd?.(reason);
      };
      return { ...answer, session: session.id, onEnd };
    } finally {
      if (!streams) release();
    }
  }

  async #answer(session: Session, web: Request, body: unknown): Promise<McpResponse> {
    if (web.method === "GET")
      return openNotificationStream({ sessions: this.#sessions, watcher: this.#watcher }, session, web);
    if (web.method === "POST") return this.#post(session, web, body);
    return { response: await session.transport.handleRequest(web) };
  }

  async #post(session: Session, web: Request, body: unknown): Promise<McpResponse> {
    const rest: Message[] = [];
    for (const message of messagesOf(body))
      if (!(await this.#sessions.router.route(session, message))) rest.push(message);
    if (rest.length === 0 && messagesOf(body).length > 0)
      return { response: new Response(null, { status: 202 }) };
    const call = new Call(session.id, requestIds(rest));
    const parsedBody = Array.isArray(body) ? rest : body;
    const response = await this.#sessions.journal
      .run(call, () => session.transport.handleRequest(web, { parsedBody }))
      .catch((error) => {
        this.#sessions.journal.endWithoutStream(call);
        throw error;
      });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
      this.#sessions.journal.endWithoutStream(call);
    if (response.ok) await this.#store(session, rest);
    const onEnd = (reason: DisconnectReason) => {
      call.delivered = reason === "completed";
    };
    return { response, session: session.id, onEnd };
  }

  /** Stores what must be known after a restart. */
  async #store(session: Session, messages: readonly Message[]): Promise<void> {
    for (const { method, params } of messages) {
      if (method === "notifications/initialized" && !session.state.initialized)
        await this.#sessions.change(session, { initialized: true });
      const level = method === "logging/setLevel" ? params?.level : undefined;
      if (typeof level === "string" && LEVELS.has(level))
        await this.#sessions.change(session, { logLevel: level });
    }
  }
}

/** The severities of RFC 5424, as MCP names them. */
const LEVELS = new Set(["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]);
