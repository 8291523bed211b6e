import { randomUUID } from "node:crypto";
import { legacyStatelessFallback } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "../http/errors.ts";
import type { DisconnectReason } from "../http/streams.ts";
import { Call } from "./journal.ts";
import type { Session } from "./live-sessions.ts";
import { type Message, messagesOf, requestIds } from "./messages.ts";
import { NotificationStreams } from "./notification-streams.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { authInfoOf, buildMcpServer, principalOf, type ServerParts } from "./server-factory.ts";
import { askedBy } from "./session-transport.ts";
import { initializeParams, type Sessions } from "./sessions.ts";
import type { Watch } from "./watch.ts";

export interface LegacyRequest {
  readonly web: Request;
  readonly body: unknown;
  readonly principal: Principal;
}

export interface LegacyAnswer {
  readonly response: Response;
  readonly session?: string | undefined;
  /** The stream produces only what it is asked for. */
  readonly paced?: boolean;
  /** To be called when the answer's stream has ended. */
  readonly onEnd?: (reason: DisconnectReason) => void;
  /** The stream's own way to end on a drain. */
  readonly onDrain?: () => void;
}

/**
 * The revisions 2024-10-07 to 2025-11-25: `initialize` opens a session, `Mcp-Session-Id` names it, GET is its notification stream.
 *
 * Liberal in what it takes, because real clients need it: a request without a session is answered statelessly (ChatGPT was seen to drop
 * the id), and a GET or DELETE without one gets 405, the one status at which Cursor, claude.ai and Claude Desktop all go on.
 */
export class LegacyLeg {
  readonly #sessions: Sessions;
  readonly #streams: NotificationStreams;
  readonly #stateless: ReturnType<typeof legacyStatelessFallback>;

  constructor(parts: ServerParts, sessions: Sessions, watch: Watch) {
    this.#sessions = sessions;
    this.#streams = new NotificationStreams(sessions, watch);
    this.#stateless = legacyStatelessFallback(
      ({ authInfo }) => buildMcpServer(parts, { principal: principalOf(authInfo), era: "legacy" }),
      sdkErrors(parts.log),
    );
  }

  async handle(request: LegacyRequest): Promise<LegacyAnswer> {
    const { web, body, principal } = request;
    const id = web.headers.get("mcp-session-id");
    if (id) {
      const session = await this.#sessions.find(id, principal);
      // Somebody else's session is answered as an unknown one: an id found out by chance tells nothing.
      if (!session) return { response: refuse(404, -32_001, "Session not found") };
      return this.#serve(session, web, body);
    }
    if (web.method !== "POST")
      return { response: refuse(405, -32_000, "Method not allowed: no session is named", { allow: "POST" }) };
    const params = initializeParams(body);
    if (params !== undefined) return this.#open(request, params);
    return { response: await this.#stateless(web, { parsedBody: body, authInfo: authInfoOf(principal) }) };
  }

  async #open({ web, body, principal }: LegacyRequest, params: unknown): Promise<LegacyAnswer> {
    const session = this.#sessions.open(randomUUID(), principal, params);
    await session.server.connect(session.transport);
    const answer = await this.#post(session, web, body);
    if (session.transport.sessionId !== undefined && this.#sessions.live.get(session.id)) return answer;
    await session.server.close();
    // A malformed initialize was answered by an error and opened nothing.
    if (session.transport.sessionId === undefined) return { response: answer.response };
    throw session.refusal ?? new Error("the session was not kept");
  }

  async #serve(session: Session, web: Request, body: unknown): Promise<LegacyAnswer> {
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

  async #answer(session: Session, web: Request, body: unknown): Promise<LegacyAnswer> {
    if (web.method === "GET") return this.#streams.open(session, web);
    if (web.method === "POST") return this.#post(session, web, body);
    return { response: await session.transport.handleRequest(web) };
  }

  async #post(session: Session, web: Request, body: unknown): Promise<LegacyAnswer> {
    const rest: Message[] = [];
    for (const message of messagesOf(body)) if (!(await this.#route(session, message))) rest.push(message);
    if (rest.length === 0 && messagesOf(body).length > 0)
      return { response: new Response(null, { status: 202 }) };
    const call = new Call(session.id, requestIds(rest));
    const parsedBody = Array.isArray(body) ? rest : body;
    const response = await this.#sessions.journal
      .run(call, () => session.transport.handleRequest(web, { parsedBody }))
      .catch((error) => {
        this.#sessions.journal.refused(call);
        throw error;
      });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
      this.#sessions.journal.refused(call);
    if (response.ok) await this.#learn(session, rest);
    const onEnd = (reason: DisconnectReason) => {
      call.delivered = reason === "completed";
    };
    return { response, session: session.id, onEnd };
  }

  /** Hands what concerns another instance's work to it. @returns whether that was all there is to do */
  async #route(session: Session, message: Message): Promise<boolean> {
    if (message.method === undefined && ("result" in message || "error" in message)) {
      const asker = askedBy(message.id);
      if (asker) await this.#sessions.answer(session, asker, message as { id: string });
      return true;
    }
    if (message.method !== "notifications/cancelled") return false;
    await this.#sessions.cancelled(session, message as Parameters<Sessions["cancelled"]>[1]);
    return true;
  }

  /** Notes what has to be known again after a restart. */
  async #learn(session: Session, messages: readonly Message[]): Promise<void> {
    for (const { method, params } of messages) {
      if (method === "notifications/initialized" && !session.facts.initialized)
        await this.#sessions.change(session, { initialized: true });
      const level = method === "logging/setLevel" ? params?.level : undefined;
      if (typeof level === "string" && LEVELS.has(level))
        await this.#sessions.change(session, { logLevel: level });
    }
  }
}

/** RFC 5424's severities, as MCP names them. */
const LEVELS = new Set(["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]);

/** A JSON-RPC error answer to a request that no session takes. */
export function refuse(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(jsonRpcError(code, message), { status, headers });
}
