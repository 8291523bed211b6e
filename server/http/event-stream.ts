import { randomUUID } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "./errors.ts";
import { SendQueue } from "./send-queue.ts";

/** Why a stream ended. */
export type DisconnectReason =
  /** The source was done. */
  | "completed"
  | "client_closed"
  /** The client did not read. */
  | "slow_reader"
  /** The client's credential lost its rights. */
  | "revoked"
  | "drain"
  /** The source failed. */
  | "error"
  /** The stream was still open at the end of the drain. */
  | "drain_timeout";

export interface StreamOptions {
  route: string;
  session?: string | undefined;
  principal?: Principal;
  /** Open until one side closes it (a notification stream), unlike the response to one call. */
  longLived: boolean;
  /** The source produces only on demand: it waits while the client does not read. Other streams are cut (see StreamLimits). */
  paced?: boolean;
  /** Interval of the comments that keep an idle connection open, milliseconds. Default: the source sends its own. */
  keepAliveMs?: number;
  /** The request's own logger, which adds the request id. */
  log: FastifyBaseLogger;
  /** Ends the stream on a drain by closing its source. Default: the stream ends with a `retry:` line. */
  onDrain?: (() => void) | undefined;
  /** Receives the events that are sent. */
  onSend?: (events: string) => void;
  /** The client has read what waited: a paced source may go on. */
  onRoom?: () => void;
  onEnd?: (reason: DisconnectReason) => void;
}

/** The figures of a stream that has ended. */
export interface StreamEnd {
  route: string;
  reason: DisconnectReason;
  bytes: number;
  chunks: number;
  seconds: number;
}

/** What a stream needs from the registry of all streams. */
export interface StreamOwner {
  /** The most that may wait in a stream of this kind, bytes. */
  limit(options: StreamOptions): number;
  readonly draining: boolean;
  /** Called when the number of waiting bytes changes. */
  onQueued(change: number): void;
  /** Called when a piece of the source has been queued. */
  onRead(): void;
  onEnded(stream: EventStream, end: StreamEnd): void;
}

/** The part of Node's response that a stream uses. Its headers are set. */
export interface StreamSink {
  readonly destroyed: boolean;
  /** @returns false when the socket is full; `drain` is emitted when it is not any more */
  write(piece: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
}

/** After a drain, clients reconnect after this time, milliseconds. The other server is ready by then. */
export const RETRY_MS = 500;

/** The most that is written to the socket at once, and accepted from a paced source, bytes. */
const WRITE_BYTES = 64 * 1024;

/** Every stream starts with a comment: Node sends the headers with the first byte, which could be the keep-alive after 15 s. */
const OPEN = Buffer.from(": open\n\n");
const KEEP_ALIVE = Buffer.from(": keepalive\n\n");
const RECONNECT = Buffer.from(`retry: ${RETRY_MS}\n\n`);
/** The last event of a stream whose source failed. Only the log has the cause. */
const FAILED = Buffer.from(
  `event: error\ndata: ${JSON.stringify(jsonRpcError(-32_603, "Internal server error"))}\n\n`,
);

/** Headers of every event stream. NGINX and other proxies obey the last one. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/**
 * One event stream, written to Node's response. What the client has not read waits in a queue with a limit (SendQueue), and a client that
 * does not read is cut. A 2025 client loses nothing: it resumes with `Last-Event-ID`.
 *
 * Thousands are open at the same time, so each keeps little: no web stream, no promise that waits.
 */
export class EventStream {
  readonly options: StreamOptions;
  readonly #owner: StreamOwner;
  readonly #sink: StreamSink;
  readonly #queue = new SendQueue();
  readonly #started = performance.now();
  readonly #keepAlive: NodeJS.Timeout | undefined;
  #lastReadAt = this.#started;
  #bytes = 0;
  #chunks = 0;
  #ended = false;
  /** A write is planned for the end of this turn of the event loop. */
  #scheduled = false;
  /** The socket is full. */
  #blocked = false;
  /** Set when the source is done: how the stream ends once the client has read the rest. */
  #finish: DisconnectReason | undefined;

  constructor(sink: StreamSink, options: StreamOptions, owner: StreamOwner) {
    this.options = options;
    this.#owner = owner;
    this.#sink = sink;
    const { keepAliveMs } = options;
    if (keepAliveMs !== undefined)
      this.#keepAlive = setInterval(() => {
        // A client that does not read gets no more to read.
        if (this.#queue.bytes === 0 && !this.#blocked) this.#push(KEEP_ALIVE);
      }, keepAliveMs).unref();
    if (sink.destroyed) queueMicrotask(() => this.#settle("client_closed"));
    else sink.once("close", () => this.#settle("client_closed"));
    this.#push(OPEN);
  }

  /** Bytes that wait for the client. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Since when bytes have waited without the client reading any, in terms of `performance.now()`; undefined: none wait. */
  get stalledSince(): number | undefined {
    return this.#queue.bytes > 0 ? this.#lastReadAt : undefined;
  }

  /** No more is sent: the source is done, or the client has gone. */
  get over(): boolean {
    return this.#ended || this.#finish !== undefined;
  }

  /**
   * Sends whole events.
   *
   * @returns false when the source should wait: a paced one for `onRoom`, any other for nothing, since the stream is over
   */
  send(events: string | Uint8Array): boolean {
    if (this.over) return false;
    const { paced, onSend } = this.options;
    onSend?.(typeof events === "string" ? events : Buffer.from(events).toString());
    if (!paced && this.#queue.bytes >= this.#owner.limit(this.options)) {
      this.cut();
      return false;
    }
    this.#push(typeof events === "string" ? Buffer.from(events) : events);
    this.#owner.onRead();
    return !this.over && (!paced || this.#queue.bytes < WRITE_BYTES);
  }

  /** The source is done. The stream ends when the client has read what waits. */
  finish(): void {
    if (this.over) return;
    this.#finish = this.#owner.draining && this.options.onDrain ? "drain" : "completed";
    this.#schedule();
  }

  /** The source failed. */
  fail(error: unknown): void {
    if (this.over) return;
    this.options.log.error({ err: error }, "stream failed");
    this.#push(FAILED);
    this.#finish = "error";
  }

  /** Sends what waits and a `retry:` line, then closes the stream. */
  end(reason: DisconnectReason): void {
    if (this.#ended) return;
    this.#push(RECONNECT);
    this.#write(Number.POSITIVE_INFINITY);
    this.#settle(reason);
    this.#sink.end();
  }

  /** Ends the stream of a client that does not read. */
  cut(): void {
    if (this.#ended) return;
    this.#settle("slow_reader");
    // The connection's own buffers hold more than the client will ever read. Only destroying it frees them.
    this.#sink.destroy();
  }

  #push(piece: Uint8Array): void {
    if (this.#queue.bytes === 0) this.#lastReadAt = performance.now();
    this.#queue.push(piece);
    this.#owner.onQueued(piece.byteLength);
    this.#schedule();
  }

  /** Everything that arrives within one turn of the event loop leaves in one write to the socket, at the start with the headers. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#ended && !this.#blocked && this.#queue.bytes > 0) this.#write(WRITE_BYTES);
    if (this.#ended) return;
    if (this.#finish === undefined) {
      // Also while the socket is full: what waits in the queue then shows that the client does not read.
      if (this.#queue.bytes < WRITE_BYTES) this.options.onRoom?.();
    } else if (this.#queue.bytes === 0) {
      this.#settle(this.#finish);
      this.#sink.end();
    }
  }

  #write(most: number): void {
    const piece = this.#queue.shift(most);
    if (piece === undefined) return;
    this.#lastReadAt = performance.now();
    this.#owner.onQueued(-piece.byteLength);
    this.#bytes += piece.byteLength;
    this.#chunks++;
    if (this.#sink.write(piece) || this.#blocked) return;
    this.#blocked = true;
    this.#sink.once("drain", () => {
      this.#blocked = false;
      this.#lastReadAt = performance.now();
      this.#schedule();
    });
  }

  #settle(reason: DisconnectReason): void {
    if (this.#ended) return;
    const { route, session, log, onEnd } = this.options;
    this.#ended = true;
    clearInterval(this.#keepAlive);
    this.#owner.onQueued(-this.#queue.bytes);
    this.#queue.clear();
    const durationMs = performance.now() - this.#started;
    const [bytes, chunks] = [this.#bytes, this.#chunks];
    this.#owner.onEnded(this, { route, reason, bytes, chunks, seconds: durationMs / 1_000 });
    log.info(
      {
        stream_id: randomUUID(),
        ...(session ? { session } : {}),
        route,
        bytes_sent: bytes,
        chunks_sent: chunks,
        duration_ms: Math.round(durationMs),
        disconnect_reason: reason,
      },
      "stream",
    );
    onEnd?.(reason);
  }
}
