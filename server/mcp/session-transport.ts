import {
  isInitializeRequest,
  type JSONRPCMessage,
  type MessageExtraInfo,
  parseJSONRPCMessage,
  SUPPORTED_PROTOCOL_VERSIONS,
  type Transport,
  type TransportSendOptions,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import type { RequestId } from "../store/store.ts";
import { Call } from "./call.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { Journal } from "./journal.ts";
import { requestIds } from "./messages.ts";
import { OpenRequests } from "./open-requests.ts";
import { PostAnswer } from "./post-answer.ts";

/** The version of a client that names none (MCP 2025-06-18, basic/transports, "Protocol Version Header"). */
const UNNAMED_VERSION = "2025-03-26";
/** From this version on, clients accept an event without data. */
const PRIMING_VERSION = "2025-11-25";

export interface TransportSession {
  readonly id: string;
  readonly journal: Journal;
  /** Called when a client's `initialize` is accepted, before it is answered. @throws when there is no room for the session */
  readonly onOpen: () => Promise<void>;
}

export interface SessionTransportOptions {
  readonly instance: string;
  readonly keepAliveMs: number;
  /** Undefined for the one POST of a client without a session. */
  readonly session?: TransportSession | undefined;
}

/** A POST that has passed the checks of the transport. */
export interface AcceptedPost {
  readonly messages: readonly JSONRPCMessage[];
  readonly batch: boolean;
  readonly version: string;
}

/** How a POST of a client is refused. */
export interface RefusedPost {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

/**
 * Streamable HTTP of the revisions 2024-10-07 to 2025-11-25, on Node's own response: the transport of a session, or of one POST without a
 * session. The SDK's transport for these revisions answers with web streams, and always with an event stream.
 *
 * Requests to the client carry the instance in their ids (`<instance>.<n>`), because the answer may arrive at any instance, and each instance
 * counts from 0.
 */
export class SessionTransport implements Transport {
  sessionId: string | undefined;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  readonly #prefix: string;
  readonly #options: SessionTransportOptions;
  readonly #open = new OpenRequests();
  /** Requests that this process makes itself. */
  readonly #own = new Map<RequestId, (response: JSONRPCMessage) => void>();
  #initialized = false;
  #closed = false;
  #versions: readonly string[] = SUPPORTED_PROTOCOL_VERSIONS;

  constructor(options: SessionTransportOptions) {
    this.#options = options;
    this.#prefix = `${options.instance}.`;
  }

  async start(): Promise<void> {}

  setSupportedProtocolVersions(versions: string[]): void {
    this.#versions = versions;
  }

  /** Checks a POST and, if it is an `initialize`, opens the session. Nothing is handled yet. @throws what `onOpen` throws */
  async accept(http: HttpExchange, body: unknown): Promise<AcceptedPost | RefusedPost> {
    const batch = Array.isArray(body);
    let messages: JSONRPCMessage[];
    try {
      messages = (batch ? body : [body]).map((message) => parseJSONRPCMessage(message));
    } catch (error) {
      this.onerror?.(error as Error);
      return { status: 400, code: -32_700, message: "Parse error: Invalid JSON-RPC message" };
    }
    if (this.#closed) return this.#refuse(404, -32_001, "Session not found");
    const initialize = messages.find((message) => isInitializeRequest(message));
    const named = http.header("mcp-protocol-version");
    if (!initialize) {
      const refusal = this.checkVersion(named);
      return refusal ?? { messages, batch, version: named ?? UNNAMED_VERSION };
    }
    if (this.#initialized && this.sessionId !== undefined)
      return this.#refuse(400, -32_600, "Invalid Request: Server already initialized");
    if (messages.length > 1)
      return this.#refuse(400, -32_600, "Invalid Request: Only one initialization request is allowed");
    this.restore();
    await this.#options.session?.onOpen();
    return { messages, batch, version: String(initialize.params.protocolVersion) };
  }

  /** The session is open: its client has sent an `initialize`, here or to another process. */
  restore(): void {
    this.sessionId = this.#options.session?.id;
    this.#initialized = true;
  }

  /** Whether a session is open, if it needs one, and the client names a version of this server or none. */
  speaks(version: string | undefined): boolean {
    return (
      (this.#initialized || !this.#options.session) &&
      (version === undefined || this.#versions.includes(version))
    );
  }

  /** Whether requests are not answered yet. */
  get busy(): boolean {
    return !this.#open.isEmpty;
  }

  /** The headers of an answer. */
  get headers(): Record<string, string> {
    return this.sessionId === undefined ? {} : { "mcp-session-id": this.sessionId };
  }

  /** @param version what the client names @returns undefined for a version that this server speaks */
  checkVersion(version: string | undefined): RefusedPost | undefined {
    if (this.#options.session && !this.#initialized)
      return this.#refuse(400, -32_000, "Bad Request: Server not initialized");
    if (this.speaks(version)) return undefined;
    const supported = `(supported versions: ${this.#versions.join(", ")})`;
    return this.#refuse(400, -32_000, `Bad Request: Unsupported protocol version: ${version} ${supported}`);
  }

  /**
   * Handles the messages of a POST, and answers it.
   */
  handle(http: HttpExchange, principal: Principal, post: AcceptedPost): void {
    const { messages, batch, version } = post;
    const requests = requestIds(messages as Parameters<typeof requestIds>[0]);
    if (requests.length === 0) {
      for (const message of messages) this.onmessage?.(message, {});
      http.send(202, "");
      return;
    }
    const answer = this.answer(http, principal, { requests, batch, version });
    for (const message of messages) {
      const polls = "id" in message && "method" in message && this.#canPrime(version);
      // The client reconnects, and gets the rest then.
      const extra = polls ? { closeSSEStream: () => answer.open() && answer.pause() } : {};
      this.onmessage?.(message, extra as MessageExtraInfo);
    }
  }

  /** Begins the answer to requests. Whatever is sent for one of them becomes part of it. */
  answer(
    http: HttpExchange,
    principal: Principal,
    post: {
      requests: readonly RequestId[];
      batch: boolean;
      /** What the client named. */
      version: string | undefined;
      /** No response is wanted any more. */
      onAbandon?: () => void;
    },
  ): PostAnswer {
    const { keepAliveMs, session } = this.#options;
    const { requests, batch, version = UNNAMED_VERSION, onAbandon } = post;
    const call = session && new Call(session.id, requests);
    if (session && call) session.journal.start(call);
    const answer = new PostAnswer({
      http,
      principal,
      requests,
      batch,
      keepAliveMs,
      era: "legacy",
      ...(session && call ? { session: { ...session, call, priming: this.#canPrime(version) } } : {}),
      ...(onAbandon ? { onAbandon } : {}),
    });
    for (const request of requests) this.#open.add(request, answer);
    return answer;
  }

  /** Makes a request as a client would. @returns the response @throws when it is not a valid message */
  async request(message: { id: string; method: string; params?: unknown }): Promise<JSONRPCMessage> {
    const request = parseJSONRPCMessage({ jsonrpc: "2.0", ...message });
    return new Promise((resolve) => {
      this.#own.set(message.id, resolve);
      this.onmessage?.(request, {});
    });
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const outgoing = this.#outgoing(message);
    const response = "method" in message ? undefined : message.id;
    const related = response ?? options?.relatedRequestId;
    const own = response === undefined ? undefined : this.#own.get(response);
    if (own && response !== undefined) {
      this.#own.delete(response);
      return own(message);
    }
    if (related === undefined) {
      const { session } = this.#options;
      return session?.journal.notification(session.id, JSON.stringify(outgoing));
    }
    const answer = this.#open.answerTo(related);
    if (!answer) throw new Error(`No connection established for request ID: ${related}`);
    if (response === undefined) return answer.notify(JSON.stringify(outgoing));
    this.#open.remove(response);
    answer.respond(response, [JSON.stringify(outgoing)]);
  }

  /** Sends a notification that belongs to no request. */
  notify(method: string, params?: Record<string, unknown>): Promise<void> {
    return this.send({ jsonrpc: "2.0", method, ...(params ? { params } : {}) });
  }

  /** The SDK's server gets nothing any more, until one is connected again. The session stays open. */
  disconnect(): void {
    // Assigned, not deleted: V8 turns an object whose properties are deleted into a table.
    Object.assign(this, { onclose: undefined, onerror: undefined, onmessage: undefined });
  }

  /** The answer to a request is there. */
  answered(request: RequestId, answer: PostAnswer): void {
    this.#open.remove(request, answer);
  }

  /** Handles a client's answer to a request of this instance. */
  receive(message: { id: string }): void {
    const id = Number(message.id.slice(this.#prefix.length));
    if (Number.isSafeInteger(id)) this.onmessage?.({ ...message, id } as JSONRPCMessage);
  }

  /** Ends a request that the client cancelled. The SDK sends no answer to it. */
  abandon(request: RequestId): void {
    this.#open.remove(request)?.abandon(request);
  }

  /** Ends the stream on which a request is answered: its client reads the rest on another one. */
  release(request: RequestId): void {
    this.#open.answerTo(request)?.pause();
  }

  /** Makes the answer of each request in progress a stream, so that its client can resume it. */
  openStreams(): void {
    for (const answer of this.#open.answers) answer.open();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const answer of this.#open.answers) answer.end();
    this.#open.clear();
    this.onclose?.();
  }

  #canPrime(version: string): boolean {
    return (
      this.#options.session !== undefined && this.#versions.includes(version) && version >= PRIMING_VERSION
    );
  }

  #refuse(status: number, code: number, message: string): RefusedPost {
    this.onerror?.(new Error(message));
    return { status, code, message };
  }

  #outgoing(message: JSONRPCMessage): JSONRPCMessage {
    if (!("method" in message)) return message;
    if ("id" in message) return { ...message, id: this.#prefix + message.id };
    const { params } = message;
    // We cancel a request of ours: the client knows it by the longer id.
    if (message.method === "notifications/cancelled" && params && "requestId" in params)
      return { ...message, params: { ...params, requestId: `${this.#prefix}${params.requestId}` } };
    return message;
  }
}

/** The instance that sent a request to the client, from the id of the answer. */
export function senderOf(id: unknown): string | undefined {
  return typeof id === "string" && /^[0-9a-f]{16}\.\d+$/.test(id) ? id.split(".")[0] : undefined;
}
