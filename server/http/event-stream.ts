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
  /** The request's own logger, which adds the request id. */
  log: FastifyBaseLogger;
  /** Destroys the connection. Without it, a client that does not read can keep the socket open. */
  abort?: () => void;
  /** Ends the stream on a drain by closing its source. Default: the stream ends with a `retry:` line. */
  onDrain?: (() => void) | undefined;
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
  /** The most that may wait in this stream, bytes. */
  readonly limit: number;
  readonly draining: () => boolean;
  /** Called when the number of waiting bytes changes. */
  readonly onQueued: (change: number) => void;
  /** Called when a piece of the source has been queued. */
  readonly onRead: () => void;
  readonly onEnded: (end: StreamEnd) => void;
}

/** After a drain, clients reconnect after this time, milliseconds. The other server is ready by then. */
export const RETRY_MS = 500;

/** The most that is written to the socket at once, and read ahead from a paced source, bytes. */
const WRITE_BYTES = 64 * 1024;

const encoder = new TextEncoder();
/** Every stream starts with a comment: Node sends the headers with the first byte, which could be the keep-alive after 15 s. */
const OPEN = encoder.encode(": open\n\n");
const RECONNECT = encoder.encode(`retry: ${RETRY_MS}\n\n`);
/** The last event of a stream whose source failed. Only the log has the cause. */
const FAILED = encoder.encode(
  `event: error\ndata: ${JSON.stringify(jsonRpcError(-32_603, "Internal server error"))}\n\n`,
);

/** Headers of every event stream. NGINX and other proxies obey the last one. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Lets one waiter sleep until `wake` is called. */
class Waiter {
  wake: () => void = () => undefined;

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/**
 * One event stream. Sources such as the SDK's streams ignore backpressure: they keep what they produce in a queue without a limit.
 * Therefore the source is read at once into a queue with a limit (SendQueue), and a client that does not read is cut. A 2025 client loses
 * nothing: it resumes with `Last-Event-ID`.
 */
export class EventStream {
  readonly options: StreamOptions;
  /** What goes to the client. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #owner: StreamOwner;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #queue = new SendQueue();
  readonly #started = performance.now();
  readonly #sender = new Waiter();
  readonly #sourceReader = new Waiter();
  #sink!: ReadableStreamDefaultController<Uint8Array>;
  #lastReadAt = this.#started;
  #bytes = 0;
  #chunks = 0;
  #ended = false;
  /** Set when the source is done: how the stream ends once the client has read the rest. */
  #finish: DisconnectReason | undefined;

  constructor(source: ReadableStream<Uint8Array>, options: StreamOptions, owner: StreamOwner) {
    this.options = options;
    this.#owner = owner;
    this.#reader = source.getReader();
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#sink = controller;
        this.#push(OPEN);
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        if (!this.#ended) this.#settle("client_closed");
        return this.#reader.cancel(reason);
      },
    });
  }

  /** Bytes that wait for the client. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Since when bytes have waited without the client reading any, in terms of `performance.now()`; undefined: none wait. */
  get stalledSince(): number | undefined {
    return this.#queue.bytes > 0 ? this.#lastReadAt : undefined;
  }

  /** Starts to read the source. */
  start(): void {
    this.#readSource().catch((error: unknown) => {
      if (this.#ended) return;
      this.options.log.error({ err: error }, "stream failed");
      this.#push(FAILED);
      this.#finish = "error";
    });
  }

  /** Sends what waits and a `retry:` line, then closes the stream. */
  end(reason: DisconnectReason): void {
    if (this.#ended) return;
    this.#push(RECONNECT);
    this.#send();
    this.#settle(reason);
    this.#sink.close();
    this.#reader.cancel(reason).catch(() => undefined);
  }

  /** Ends the stream of a client that does not read. */
  cut(): void {
    if (this.#ended) return;
    this.#settle("slow_reader");
    // The connection's own buffers hold more than the client will ever read. Only destroying it frees them.
    if (this.options.abort) this.options.abort();
    else this.#sink.error(new Error("the client does not read"));
    this.#reader.cancel("slow_reader").catch(() => undefined);
  }

  async #readSource(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (this.#ended) return;
      if (done) {
        this.#finish = this.#owner.draining() && this.options.onDrain ? "drain" : "completed";
        return this.#sender.wake();
      }
      const { paced } = this.options;
      if (!paced && this.#queue.bytes >= this.#owner.limit) return this.cut();
      this.#push(value);
      this.#owner.onRead();
      while (paced && this.#queue.bytes >= WRITE_BYTES && !this.#ended) await this.#sourceReader.wait();
    }
  }

  async #pull(): Promise<void> {
    while (this.#queue.bytes === 0 && this.#finish === undefined && !this.#ended) await this.#sender.wait();
    // Everything that arrives within one turn of the event loop leaves in one write to the socket, at the start with the headers.
    await new Promise((turned) => setImmediate(turned));
    if (this.#ended) return;
    this.#send(WRITE_BYTES);
    if (this.#queue.bytes > 0 || this.#finish === undefined) return;
    this.#settle(this.#finish);
    this.#sink.close();
  }

  #push(piece: Uint8Array): void {
    if (this.#queue.bytes === 0) this.#lastReadAt = performance.now();
    this.#queue.push(piece);
    this.#owner.onQueued(piece.byteLength);
    this.#sender.wake();
  }

  #send(most?: number): void {
    const piece = this.#queue.shift(most);
    this.#lastReadAt = performance.now();
    this.#sourceReader.wake();
    if (piece === undefined) return;
    this.#owner.onQueued(-piece.byteLength);
    this.#bytes += piece.byteLength;
    this.#chunks++;
    this.#sink.enqueue(piece);
  }

  #settle(reason: DisconnectReason): void {
    const { route, session, log, onEnd } = this.options;
    this.#ended = true;
    this.#owner.onQueued(-this.#queue.bytes);
    this.#queue.clear();
    const durationMs = performance.now() - this.#started;
    const [bytes, chunks] = [this.#bytes, this.#chunks];
    this.#owner.onEnded({ route, reason, bytes, chunks, seconds: durationMs / 1_000 });
    this.#sender.wake();
    this.#sourceReader.wake();
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
