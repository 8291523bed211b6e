import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "../http/errors.ts";
import type { EventStream, StreamOptions } from "../http/event-stream.ts";
import type { Streams } from "../http/streams.ts";
import { type JsonPieces, MeasuredJson } from "../json/text.ts";
import { acceptForSdk, type Readable } from "./accept.ts";

/** Shorter answers are joined, characters: one piece takes less time than several. */
const MIN_PIECES = 8_192;

const NO_HEADERS = {};

/** Options of a stream that the exchange does not know itself. */
export type AnswerStream = Omit<StreamOptions, "route" | "principal" | "log">;

/**
 * A request to the MCP endpoint and the way to answer it: on Node's own response, which is taken over from Fastify with the headers that its
 * hooks have set. Web requests, responses and streams are made only where the SDK needs them (see sdk-answer.ts): they cost more than a call.
 */
export class HttpExchange {
  readonly request: FastifyRequest;
  /** The types of answers that the client reads. */
  readonly readable: Readable;
  /** Receives what is answered: a body of JSON, or whole events. See MessageObserver. */
  onAnswer: ((text: string) => void) | undefined;
  readonly #reply: FastifyReply;
  readonly #streams: Streams;

  constructor(request: FastifyRequest, reply: FastifyReply, readable: Readable, streams: Streams) {
    this.request = request;
    this.readable = readable;
    this.#reply = reply;
    this.#streams = streams;
  }

  /** Node's response. */
  get raw(): ServerResponse {
    return this.#reply.raw;
  }

  get method(): string {
    return this.request.method;
  }

  /** Whether the client has disconnected, or has its answer. */
  get over(): boolean {
    const { raw, sent } = this.#reply;
    return sent || raw.destroyed;
  }

  /** A header that is sent twice with the same value, by a client and by its user's configuration, counts as sent once. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    if (value === undefined) return undefined;
    const text = String(value);
    if (!text.includes(", ")) return text;
    const [first = "", ...others] = text.split(", ");
    return others.every((other) => other === first) ? first : text;
  }

  /** Calls back when the connection is closed or the answer is complete. At once if it already is. */
  onClose(callback: () => void): void {
    const { raw } = this.#reply;
    if (raw.destroyed) callback();
    else raw.on("close", callback);
  }

  /** Answers with a body of JSON text. */
  json(status: number, body: JsonPieces, headers: Readonly<Record<string, string>> = NO_HEADERS): void {
    this.#end(status, body, "application/json", headers);
  }

  /** Answers with a JSON-RPC error that belongs to no request. */
  error(status: number, code: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
    this.json(status, [JSON.stringify(jsonRpcError(code, message))], headers);
  }

  /** Answers in one write. */
  send(status: number, text: string, headers: Readonly<Record<string, string>> = NO_HEADERS): void {
    this.#end(status, [text], undefined, headers);
  }

  #end(
    status: number,
    body: JsonPieces,
    type: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): void {
    const { raw } = this.#reply.hijack();
    if (raw.destroyed) return;
    const own = this.#reply.getHeaders() as OutgoingHttpHeaders;
    if (type !== undefined) own["content-type"] = type;
    for (const name in headers) own[name] = headers[name];
    if (this.#streams.draining) own.connection = "close";
    let length = 0;
    for (const piece of body) length += piece.length;
    if (length > 0) this.onAnswer?.(body.map(String).join(""));
    if (length < MIN_PIECES) this.#endWhole(raw, status, own, body);
    else this.#endPieces(raw, status, own, body);
  }

  #endWhole(raw: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: JsonPieces): void {
    let text = "";
    for (const piece of body) text += String(piece);
    const bytes = Buffer.byteLength(text);
    // RFC 9110, section 8.6: a 204 has no Content-Length.
    if (status !== 204) headers["content-length"] = bytes;
    raw.writeHead(status, headers).end(text, bytes === text.length ? "latin1" : "utf8");
  }

  #endPieces(raw: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: JsonPieces): void {
    const measured = body.map((piece) => (typeof piece === "string" ? new MeasuredJson(piece) : piece));
    let bytes = 0;
    for (const piece of measured) bytes += piece instanceof MeasuredJson ? piece.bytes : piece.length;
    headers["content-length"] = bytes;
    raw.writeHead(status, headers);
    raw.cork();
    for (const piece of measured) {
      if (!(piece instanceof MeasuredJson)) raw.write(piece);
      // ASCII needs one copy. For UTF-8, Node would reserve three bytes for each character.
      else if (piece.bytes === piece.length) raw.write(piece.text, "latin1");
      else raw.write(Buffer.from(piece.text));
    }
    raw.end();
  }

  /** Answers with an event stream. */
  stream(
    principal: Principal,
    options: AnswerStream,
    headers: Readonly<Record<string, string>> = {},
  ): EventStream {
    const { onAnswer } = this;
    const observed = onAnswer ? { ...options, onSend: onAnswer } : options;
    return this.#streams.open(this.#reply, { route: "/mcp", principal, ...observed }, headers);
  }

  /** See Streams. */
  undecided(open: () => void): () => void {
    return this.#streams.undecided(open);
  }

  /** The request in the form that the SDK needs, without the credentials: a tool cannot leak what it cannot see. */
  web(signal?: AbortSignal): Request {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.request.headers))
      if (value !== undefined && name !== "authorization" && name !== "cookie")
        headers.set(name, name.startsWith("mcp-") ? (this.header(name) ?? "") : String(value));
    headers.set("accept", acceptForSdk(this.method));
    return new Request(`http://${this.request.headers.host ?? "localhost"}/mcp`, {
      method: this.method,
      headers,
      ...(signal ? { signal } : {}),
    });
  }
}
