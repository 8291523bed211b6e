import { randomUUID } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { jsonRpcError } from "./errors.ts";

/** Why a stream ended: its source was done, the client left, the server drains, it failed, or the drain's limit was over. */
export type DisconnectReason = "completed" | "client_closed" | "drain" | "error" | "drain_timeout";

export interface StreamFacts {
  route: string;
  session?: string | undefined;
  /** Open until somebody ends it (a notification stream), as opposed to the answer of one call. */
  standing: boolean;
  /** The request's own logger: it puts the request id on the line. */
  log: FastifyBaseLogger;
  onEnd?: (reason: DisconnectReason) => void;
}

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

/** More than this is not gathered, bytes. */
const MAX_HELD = 64 * 1024;

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

/** The event streams that are open: primes them, counts them, logs one line for each at its end, and ends them on a drain. */
export class Streams {
  readonly #open = new Map<(reason: DisconnectReason) => void, Pick<StreamFacts, "route" | "standing">>();
  #draining = false;
  /** Told of every stream that has ended. */
  onEnded: (end: StreamEnd) => void = () => undefined;

  get size(): number {
    return this.#open.size;
  }

  /** How many are open, by route. */
  byRoute(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { route } of this.#open.values()) counts.set(route, (counts.get(route) ?? 0) + 1);
    return counts;
  }

  /** Wraps the source of an event stream; the result goes to the client. */
  track(source: ReadableStream<Uint8Array>, facts: StreamFacts): ReadableStream<Uint8Array> {
    const reader = source.getReader();
    const started = performance.now();
    let bytes = 0;
    let chunks = 0;
    let ended = false;
    let sink!: ReadableStreamDefaultController<Uint8Array>;
    const send = (piece: Uint8Array) => {
      bytes += piece.byteLength;
      chunks++;
      sink.enqueue(piece);
    };
    const settle = (reason: DisconnectReason): boolean => {
      if (ended) return false;
      ended = true;
      this.#open.delete(end);
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
      return true;
    };
    const end = (reason: DisconnectReason) => {
      if (ended) return;
      waiting.push(RECONNECT);
      flush();
      settle(reason);
      sink.close();
      reader.cancel(reason).catch(() => undefined);
    };
    // Headers leave with the first byte. What comes before the loop has turned once leaves with them, in one write to the socket.
    let waiting: Uint8Array[] = [OPEN];
    let held = 0;
    const read = () => {
      const result = reader.read();
      // It may fail while nobody waits for it; whoever does next is told.
      result.catch(() => undefined);
      return result;
    };
    let next = read();
    const flush = () => {
      if (waiting.length > 0)
        send(waiting.length === 1 ? (waiting[0] as Uint8Array) : Buffer.concat(waiting));
      waiting = [];
      held = 0;
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        sink = controller;
      },
      pull: async () => {
        const turned = new Promise<undefined>((done) => setImmediate(done, undefined));
        try {
          for (;;) {
            const result = await (waiting.length > 0 ? Promise.race([next, turned]) : next);
            if (ended) return;
            if (result === undefined) return flush();
            if (result.done) break;
            waiting.push(result.value);
            held += result.value.byteLength;
            next = read();
            if (held > MAX_HELD) return flush();
          }
          flush();
          if (settle("completed")) sink.close();
        } catch (error) {
          if (ended) return;
          facts.log.error({ err: error }, "stream failed");
          waiting.push(FAILED);
          flush();
          settle("error");
          sink.close();
        }
      },
      cancel: (reason) => {
        settle("client_closed");
        return reader.cancel(reason);
      },
    });
    this.#open.set(end, facts);
    if (this.#draining && facts.standing) end("drain");
    return body;
  }

  /** Sends every standing stream's client away, now and from now on; answers of calls go on. */
  drain(): void {
    this.#draining = true;
    for (const [end, { standing }] of [...this.#open]) if (standing) end("drain");
  }

  /** Ends what is left. */
  endAll(): void {
    for (const end of [...this.#open.keys()]) end("drain_timeout");
  }
}
