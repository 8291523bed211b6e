import { randomUUID } from "node:crypto";
import { isInitializeRequest, type McpServer } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { Refusal } from "../http/errors.ts";
import { LazyAbort } from "../lazy-abort.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import type { ChangeWatcher } from "./change-watcher.ts";
import { callPieces, type DirectCall, type DirectCalls, resultPieces } from "./direct-call.ts";
import type { McpRequest } from "./exchange.ts";
import { isKept, type KeptResults } from "./kept-results.ts";
import { isLogLevel } from "./log-levels.ts";
import { type Message, messagesOf } from "./messages.ts";
import { openNotificationStream } from "./notification-streams.ts";
import type { PlainRequest } from "./plain-request.ts";
import { sdkErrors } from "./sdk-errors.ts";
import { buildMcpServer } from "./server-factory.ts";
import type { ServerParts } from "./server-parts.ts";
import type { Session } from "./session.ts";
import { SessionTransport } from "./session-transport.ts";
import type { Sessions } from "./sessions.ts";

export interface LegacyEndpointOptions {
  readonly parts: ServerParts;
  readonly sessions: Sessions;
  readonly watcher: ChangeWatcher;
  readonly keepAliveMs: number;
  readonly results: KeptResults;
  readonly calls: DirectCalls;
}

/**
 * The revisions 2024-10-07 to 2025-11-25: `initialize` opens a session, `Mcp-Session-Id` names it, GET opens its notification stream.
 *
 * Liberal in what it accepts, because real clients need it. A request without a session is answered statelessly (ChatGPT was seen to drop
 * the id). A GET or DELETE without a session gets 405, the one status after which Cursor, claude.ai and Claude Desktop all continue.
 */
export class LegacyEndpoint {
  readonly #options: LegacyEndpointOptions;

  constructor(options: LegacyEndpointOptions) {
    this.#options = options;
  }

  /** @param plain the body, if it is one plain request that may be answered without the SDK */
  handle(request: McpRequest, plain: PlainRequest | undefined): MaybePromise<void> {
    const { http, principal } = request;
    const { sessions } = this.#options;
    const id = http.header("mcp-session-id");
    if (!id) return this.#withoutSession(request, plain);
    return then(sessions.find(id, principal), (session) => {
      // Another principal's session is answered as an unknown one, so that a guessed id reveals nothing.
      if (!session) return http.error(404, -32_001, "Session not found");
      http.onClose(sessions.live.hold(session.id));
      return this.#serve(session, request, plain);
    });
  }

  async #withoutSession(request: McpRequest, plain: PlainRequest | undefined): Promise<void> {
    const { http, body, principal } = request;
    const { sessions } = this.#options;
    if (http.method !== "POST")
      return http.error(405, -32_000, "Method not allowed: no session is named", { allow: "POST" });
    const params = !plain && isInitializeRequest(body) ? body.params : undefined;
    if (params === undefined) return this.#stateless(request, plain);
    const session = sessions.open(randomUUID(), principal, params);
    try {
      await this.#handleAll(session, request);
    } finally {
      // A refused initialize opened nothing.
      if (sessions.live.peek(session.id) !== session) await session.server.close();
    }
  }

  #serve(session: Session, request: McpRequest, plain: PlainRequest | undefined): MaybePromise<void> {
    const { http, principal } = request;
    const { sessions, watcher } = this.#options;
    if (http.method === "GET") return openNotificationStream({ sessions, watcher }, session, http, principal);
    if (http.method !== "POST") return this.#delete(session, http);
    if (!plain) return this.#handleAll(session, request);
    const direct = this.#direct(session.transport, request, plain, session.state.logLevel ?? "debug");
    return then(direct, (answered) => (answered ? undefined : this.#handleAll(session, request)));
  }

  async #delete(session: Session, http: McpRequest["http"]): Promise<void> {
    const { sessions } = this.#options;
    const refusal = session.transport.checkVersion(http.header("mcp-protocol-version"));
    if (refusal) return http.error(refusal.status, refusal.code, refusal.message);
    await sessions.remove(session);
    http.send(200, "");
  }

  /** The messages of a POST that the SDK handles. */
  async #handleAll(session: Session, { http, body, principal }: McpRequest): Promise<void> {
    const { transport } = session;
    const rest: Message[] = [];
    const messages = messagesOf(body);
    for (const message of messages)
      if (!(await this.#options.sessions.router.route(session, message))) rest.push(message);
    if (rest.length === 0 && messages.length > 0) return http.send(202, "");
    // The session's state has it. A server that is made later is told.
    if (!rest.every(({ method }) => method === "notifications/initialized"))
      http.onClose(await session.server.hold());
    const post = await transport.accept(http, Array.isArray(body) ? rest : body);
    if ("status" in post) return http.error(post.status, post.code, post.message);
    await this.#store(session, rest);
    transport.handle(http, principal, post);
  }

  async #stateless(request: McpRequest, plain: PlainRequest | undefined): Promise<void> {
    const { http, body, principal } = request;
    const { parts, keepAliveMs } = this.#options;
    const transport = new SessionTransport({ instance: "", keepAliveMs });
    if (plain && (await this.#direct(transport, request, plain, "debug"))) return;
    const onError = sdkErrors(parts.log);
    let server: McpServer;
    try {
      server = buildMcpServer(parts, { principal, era: "legacy" });
    } catch (error) {
      onError(error as Error);
      throw new Refusal(500, "Internal server error", undefined, -32_603);
    }
    server.server.onerror = onError;
    await server.connect(transport);
    http.onClose(() => void server.close().catch(() => undefined));
    const post = await transport.accept(http, body);
    if ("status" in post) return http.error(post.status, post.code, post.message);
    transport.handle(http, principal, post);
  }

  /** Answers a request without the SDK. @returns false if the SDK must answer it */
  #direct(
    transport: SessionTransport,
    request: McpRequest,
    plain: PlainRequest,
    logLevel: string,
  ): MaybePromise<boolean> {
    const { http, principal } = request;
    const { calls, results } = this.#options;
    if (!transport.speaks(http.header("mcp-protocol-version"))) return false;
    if (!isKept(plain.method, "legacy"))
      return then(calls.prepare(principal, plain), (call) =>
        call ? this.#call(transport, request, call, logLevel) : false,
      );
    if (!http.readable.json) return false;
    const kept = results.get(plain, principal, "legacy", () => this.#result(plain.method, principal));
    return then(kept, (result) => {
      if (result !== undefined) http.json(200, resultPieces(plain.id, result), transport.headers);
      return result !== undefined;
    });
  }

  async #call(
    transport: SessionTransport,
    { http, principal }: McpRequest,
    call: DirectCall,
    logLevel: string,
  ): Promise<true> {
    const { calls } = this.#options;
    const { id } = call.request;
    const abort = new LazyAbort();
    const answer = transport.answer(http, principal, {
      requests: [id],
      batch: false,
      version: http.header("mcp-protocol-version"),
      onAbandon: () => abort.abort(),
    });
    const listener = { abort, logLevel, notify: (text: string) => answer.notify(text) };
    const result = await calls.run(principal, call, listener);
    transport.answered(id, answer);
    if (!abort.aborted) answer.respond(id, callPieces(id, result, "legacy"));
    return true;
  }

  /** The result of a method without parameters for this caller, as the SDK makes it. */
  async #result(method: string, principal: Principal): Promise<unknown> {
    const { parts, keepAliveMs } = this.#options;
    const server = buildMcpServer(parts, { principal, era: "legacy" });
    const transport = new SessionTransport({ instance: "", keepAliveMs });
    await server.connect(transport);
    const response = await transport.request({ id: "result", method });
    await server.close();
    return "result" in response ? response.result : undefined;
  }

  /** Stores what must be known after a restart. */
  async #store(session: Session, messages: readonly Message[]): Promise<void> {
    for (const { method, params } of messages) {
      if (method === "notifications/initialized" && !session.state.initialized)
        await this.#options.sessions.change(session, { initialized: true });
      const level = method === "logging/setLevel" ? params?.level : undefined;
      if (isLogLevel(level)) await this.#options.sessions.change(session, { logLevel: level });
    }
  }
}
