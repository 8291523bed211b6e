import { randomUUID } from "node:crypto";
import type { Principal } from "../auth/principal.ts";
import { type DisconnectReason, type EventStream, RETRY_MS } from "../http/event-stream.ts";
import type { JsonPieces } from "../json/text.ts";
import type { RequestId } from "../store/store.ts";
import type { Call } from "./call.ts";
import type { Era } from "./direct-call.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { Journal } from "./journal.ts";

export interface PostAnswerOptions {
  readonly http: HttpExchange;
  readonly principal: Principal;
  /** The requests that are answered. */
  readonly requests: readonly RequestId[];
  /** The body was a batch, so the answer is one too. */
  readonly batch: boolean;
  readonly keepAliveMs: number;
  readonly era: Era;
  /** In a session: its id, and what keeps the events for a client that resumes. */
  readonly session?: {
    readonly id: string;
    readonly call: Call;
    readonly journal: Journal;
    /** The client understands an event that holds only an id (2025-11-25 and later). */
    readonly priming: boolean;
  };
  /** No response is wanted any more: the client cancelled the call, its session ended, or without a session the client disconnected. */
  readonly onAbandon?: () => void;
}

/**
 * The answer to one POST: JSON in one write if all responses are there before anything else was sent. If a call sends a notification first, or
 * lasts, it is an event stream, which in a session is journaled.
 */
export class PostAnswer {
  readonly #options: PostAnswerOptions;
  readonly #pending: RequestId[];
  readonly #responses: JsonPieces[] = [];
  #stream: EventStream | undefined;
  /** The answer is JSON or a stream now. */
  #decided: () => void = () => undefined;
  #over = false;

  constructor(options: PostAnswerOptions) {
    this.#options = options;
    this.#pending = [...options.requests];
    const { http, session, onAbandon, era } = options;
    if (http.readable.stream && !http.readable.json) this.open();
    // The 2026 era has no resumption, and the SDK's answer to a silent call is JSON however long it lasts.
    else if (http.readable.stream && era === "legacy") this.#decided = http.undecided(() => void this.open());
    http.onClose(() => {
      this.#decided();
      if (!session && !this.#over) onAbandon?.();
    });
  }

  /** A response to one of the requests. */
  respond(id: RequestId, response: JsonPieces): void {
    this.#settle(id);
    if (!this.#stream) this.#responses.push(response);
    else this.#event(response.join(""), id);
    if (this.#pending.length === 0) this.#complete();
  }

  /** A notification, or a request to the client, as JSON text. It is dropped for a client that reads only JSON. */
  notify(text: string): void {
    if (this.#over) return;
    if (this.open()) this.#event(text);
  }

  /** Becomes an event stream. @returns whether it is one now */
  open(): boolean {
    const { http, principal, session, keepAliveMs } = this.#options;
    if (this.#stream) return true;
    if (this.#over || http.over || !http.readable.stream) return false;
    this.#decided();
    const headers: Record<string, string> = session ? { "mcp-session-id": session.id } : {};
    session?.journal.begin(session.call, randomUUID());
    this.#stream = http.stream(
      principal,
      {
        longLived: false,
        keepAliveMs,
        session: session?.id,
        onEnd: (reason) => this.#onEnd(reason),
      },
      headers,
    );
    if (session?.priming) {
      const id = session.journal.event(session.call, undefined, undefined);
      if (id) this.#stream.send(`id: ${id}\nretry: ${RETRY_MS}\ndata: \n\n`);
    }
    for (const response of this.#responses.splice(0)) this.#event(response.join(""));
    return true;
  }

  /** Ends the stream, but not the calls: the client resumes, and gets the rest then. */
  pause(): void {
    this.#stream?.finish();
  }

  /** No response to this request will come: the client cancelled it. */
  abandon(id: RequestId): void {
    this.#settle(id);
    if (this.#pending.length === 0) this.end();
    else this.#options.onAbandon?.();
  }

  /** Ends the exchange with what there is. The client may resume a stream. */
  end(): void {
    if (this.#over) return;
    if (this.#responses.length === 0) this.open();
    this.#complete();
    this.#options.onAbandon?.();
  }

  #settle(id: RequestId): void {
    const place = this.#pending.indexOf(id);
    if (place >= 0) this.#pending.splice(place, 1);
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    this.#decided();
    const { http, batch, session } = this.#options;
    if (this.#stream) {
      this.#stream.finish();
      return;
    }
    session?.journal.endWithoutStream(session.call);
    if (http.over) return;
    const [first] = this.#responses;
    const headers: Record<string, string> = session ? { "mcp-session-id": session.id } : {};
    // Without a response, the request was cancelled or its session ended: no answer follows.
    if (first === undefined) http.send(202, "", headers);
    else http.json(200, batch ? batchOf(this.#responses) : first, headers);
  }

  #event(text: string, response?: RequestId): void {
    const { session } = this.#options;
    const id = session?.journal.event(session.call, text, response);
    this.#stream?.send(`event: message\n${id ? `id: ${id}\n` : ""}data: ${text}\n\n`);
  }

  #onEnd(reason: DisconnectReason): void {
    const { session } = this.#options;
    if (session) session.call.delivered = reason === "completed";
  }
}

const batchOf = (responses: readonly JsonPieces[]): JsonPieces => [
  "[",
  ...responses.flatMap((response, n) => (n === 0 ? response : [",", ...response])),
  "]",
];
