import { randomUUID } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import { jsonRpcError } from "./errors.ts";
import { SendQueue } from "./send-queue.ts";

/**
 * Why a stream ended: its source was done, the client left, the client did not read, its token lost its rights, the server drains, the
 * source failed, or the drain's limit was over.
 */
export type DisconnectReason =
  | "completed"
  | "client_closed"
  | "slow_reader"
  | "revoked"
  | "drain"
  | "error"
  | "drain_timeout";

export interface StreamFacts {
  route: string;
  session?: string | undefined;
  /** Who reads it. */
  principal?: Principal;
  /** Open until somebody ends it (a notification stream), as opposed to the answer of one call. */
  standing: boolean;
  /** The source produces only what it is asked for: it is left waiting while the client does not read. Others are cut (see StreamLimits). */
  paced?: boolean;
  /** The request's own logger: it puts the request id on the line. */
  log: FastifyBaseLogger;
  /** Breaks the connection. Without it a client that does not read would keep the socket for as long as it likes. */
  abort?: () => void;
  /** The stream's own way to end on a drain, by closing its source. Default: `retry:` as the last line. */
  onDrain?: (() => void) | undefined;
  onEnd?: (reason: DisconnectReason) => void;
}

/** How much may wait for clients that do not read, in bytes, and for how long. */
export interface StreamLimits {
  /** For one standing stream. Its messages are short: this is thousands of them. */
  readonly standing: number;
  /** For one answer: a batch of a hundred answers may come at once. As much as the store keeps for a session. */
  readonly answer: number;
  /** For all streams together: beyond it the one with the most waiting is cut. */
  readonly total: number;
  /** A client that takes nothing for so long while something waits is cut, milliseconds. */
  readonly stallMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  standing: 1024 * 1024,
  answer: 8 * 1024 * 1024,
  total: 64 * 1024 * 1024,
  stallMs: 60_000,
};

/** What a stream came to. */
export interface StreamEnd {
  route: string;
  reason: DisconnectReason;
  bytes: number;
  chunks: number;
  seconds: number;
}

/** How soon a client that was sent away by a drain may come back, milliseconds: the other server is ready by then. */
export const RETRY_MS = 500;

/** More than this is not written to the socket at once, and not read ahead from a source that waits, bytes. */
const WRITE_BYTES = 64 * 1024;
/** Between two looks for clients that do not read, as a part of the time they have. */
const LOOKS = 4;

const encoder = new TextEncoder();
/** Headers leave with the first byte, so every stream begins with a comment: without it they waited 15 s for the keep-alive. */
const OPEN = encoder.encode(": open\n\n");
const RECONNECT = encoder.encode(`retry: ${RETRY_MS}\n\n`);
/** The last event of a stream whose source failed: the cause stays in the log. */
const FAILED = encoder.encode(
  `event: error\ndata: ${JSON.stringify(jsonRpcError(-32_603, "Internal server error"))}\n\n`,
);

/** On every event stream; NGINX and other proxies heed the last one. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

interface Open extends Pick<StreamFacts, "route" | "standing" | "onDrain"> {
  readonly principal: Principal | undefined;
  readonly queue: SendQueue;
  /** When the client last took something, or something began to wait for it; `performance.now()`. */
  takenAt: number;
  end(reason: DisconnectReason): void;
  cut(): void;
}

/**
 * The event streams that are open: primes them, bounds what waits in them, counts them, logs one line for each at its end, and ends them
 * on a drain.
 *
 * Sources of events such as the SDK's streams do not know backpressure: they put whatever comes into their own queue, which has no limit.
 * Therefore every source is read at once into a queue that has one (SendQueue), and a client that does not read is cut. A 2025 client
 * loses nothing by that: it comes back with `Last-Event-ID`.
 */
export class Streams {
  readonly #open = new Set<Open>();
  readonly #limits: StreamLimits;
  #queued = 0;
  #draining = false;
  #looking: NodeJS.Timeout | undefined;
  /** Told of every stream that has ended. */
  onEnded: (end: StreamEnd) => void = () => undefined;

  constructor(limits: Partial<StreamLimits> = {}) {
    this.#limits = { ...STREAM_LIMITS, ...limits };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Bytes that wait in all streams for clients to read. */
  get queuedBytes(): number {
    return this.#queued;
  }

  /** How many are open, by route. */
  byRoute(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { route } of this.#open) counts.set(route, (counts.get(route) ?? 0) + 1);
    return counts;
  }

  /** Wraps the source of an event stream; the result goes to the client. */
  track(source: ReadableStream<Uint8Array>, facts: StreamFacts): ReadableStream<Uint8Array> {
    const reader = source.getReader();
    const queue = new SendQueue();
    const started = performance.now();
    const limit = facts.standing ? this.#limits.standing : this.#limits.answer;
    let bytes = 0;
    let chunks = 0;
    let ended = false;
    /** Set when nothing more will come: how the stream ends once the client has taken the rest. */
    let finish: DisconnectReason | undefined;
    let sink!: ReadableStreamDefaultController<Uint8Array>;
    /** Wakes whoever waits for something to send, and whoever waits for room. */
    let wakeSender: () => void = () => undefined;
    let wakeReader: () => void = () => undefined;

    const push = (piece: Uint8Array) => {
      if (queue.bytes === 0) open.takenAt = performance.now();
      queue.push(piece);
      this.#queued += piece.byteLength;
      wakeSender();
    };
    const send = (most?: number) => {
      this.#queued -= queue.bytes;
      const piece = queue.take(most);
      this.#queued += queue.bytes;
      open.takenAt = performance.now();
      wakeReader();
      if (piece === undefined) return;
      bytes += piece.byteLength;
      chunks++;
      sink.enqueue(piece);
    };
    const settle = (reason: DisconnectReason): void => {
      ended = true;
      this.#open.delete(open);
      this.#queued -= queue.bytes;
      queue.clear();
      if (this.#open.size === 0) this.#stopLooking();
      wakeSender();
      wakeReader();
      const durationMs = performance.now() - started;
      this.onEnded({ route: facts.route, reason, bytes, chunks, seconds: durationMs / 1_000 });
      facts.log.info(
        {
          stream_id: randomUUID(),
          ...(facts.session ? { session: facts.session } : {}),
          route: facts.route,
          bytes_sent: bytes,
          chunks_sent: chunks,
          duration_ms: Math.round(durationMs),
          disconnect_reason: reason,
        },
        "stream",
      );
      facts.onEnd?.(reason);
    };
    const open: Open = {
      route: facts.route,
      principal: facts.principal,
      standing: facts.standing,
      onDrain: facts.onDrain,
      queue,
      takenAt: started,
      end: (reason) => {
        if (ended) return;
        push(RECONNECT);
        send();
        settle(reason);
        sink.close();
        reader.cancel(reason).catch(() => undefined);
      },
      cut: () => {
        if (ended) return;
        settle("slow_reader");
        // The connection has more in its own buffers than the client will ever take: only breaking it frees them.
        if (facts.abort) facts.abort();
        else sink.error(new Error("the client does not read"));
        reader.cancel("slow_reader").catch(() => undefined);
      },
    };
    const pump = async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (ended) return;
        if (done) {
          finish = this.#draining && facts.onDrain ? "drain" : "completed";
          return wakeSender();
        }
        if (!facts.paced && queue.bytes >= limit) return open.cut();
        push(value);
        if (this.#queued > this.#limits.total) this.#cutLargest();
        while (facts.paced && queue.bytes >= WRITE_BYTES && !ended)
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
      }
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        sink = controller;
        push(OPEN);
      },
      pull: async () => {
        while (queue.bytes === 0 && finish === undefined && !ended)
          await new Promise<void>((resolve) => {
            wakeSender = resolve;
          });
        // What comes before the loop has turned once leaves together, in one write to the socket; the headers too, at the beginning.
        await new Promise((turned) => setImmediate(turned));
        if (ended) return;
        send(WRITE_BYTES);
        if (queue.bytes > 0 || finish === undefined) return;
        settle(finish);
        sink.close();
      },
      cancel: (reason) => {
        if (!ended) settle("client_closed");
        return reader.cancel(reason);
      },
    });
    this.#open.add(open);
    this.#looking ??= setInterval(() => this.#cutStalled(), this.#limits.stallMs / LOOKS).unref();
    pump().catch((error: unknown) => {
      if (ended) return;
      facts.log.error({ err: error }, "stream failed");
      push(FAILED);
      finish = "error";
    });
    if (this.#draining) this.#sendAway(open);
    return body;
  }

  /** Sends every standing stream's client away, now and from now on; answers of calls go on. */
  drain(): void {
    this.#draining = true;
    for (const open of [...this.#open]) this.#sendAway(open);
  }

  /** Those who read a stream now. */
  principals(): Set<Principal> {
    const principals = new Set<Principal>();
    for (const { principal } of this.#open) if (principal) principals.add(principal);
    return principals;
  }

  /** Ends the streams whose reader `of` names. */
  endWhere(of: (principal: Principal) => boolean, reason: DisconnectReason): void {
    for (const open of [...this.#open]) if (open.principal && of(open.principal)) open.end(reason);
  }

  /** Ends what is left. */
  endAll(): void {
    for (const open of [...this.#open]) open.end("drain_timeout");
    this.#stopLooking();
  }

  #sendAway(open: Open): void {
    if (!open.standing) return;
    if (open.onDrain) open.onDrain();
    else open.end("drain");
  }

  #cutStalled(): void {
    const before = performance.now() - this.#limits.stallMs;
    for (const open of [...this.#open]) if (open.queue.bytes > 0 && open.takenAt < before) open.cut();
  }

  #cutLargest(): void {
    let largest: Open | undefined;
    for (const open of this.#open) if (open.queue.bytes > (largest?.queue.bytes ?? 0)) largest = open;
    largest?.cut();
  }

  #stopLooking(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
