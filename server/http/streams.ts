import type { OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";
import type { Principal } from "../auth/principal.ts";
import { LinkedList } from "../linked-list.ts";
import { Periodic } from "../periodic.ts";
import {
  type DisconnectReason,
  EventStream,
  SSE_HEADERS,
  type StreamEnd,
  type StreamOptions,
  type StreamOwner,
  type StreamSink,
} from "./event-stream.ts";
import { releaseRequest } from "./release-request.ts";
import { TimedResponse } from "./timed-response.ts";

/** How much may wait for clients that do not read, in bytes, and for how long. */
export interface StreamLimits {
  /** For one long-lived stream. Its messages are short, so this holds thousands of them. */
  readonly longLived: number;
  /** For one response: it may hold a batch of a hundred answers. As much as the store keeps for a session. */
  readonly answer: number;
  /** For all streams together. Beyond it, the stream with the longest queue is cut. */
  readonly total: number;
  /** A client that reads nothing for this time, while something waits, is cut. Milliseconds. */
  readonly stallMs: number;
  /** A call that lasts longer than this becomes an event stream: its client sees that it is alive, and can resume. Milliseconds. */
  readonly patienceMs: number;
}

const STREAM_LIMITS: StreamLimits = {
  longLived: 1024 * 1024,
  answer: 8 * 1024 * 1024,
  total: 64 * 1024 * 1024,
  stallMs: 60_000,
  patienceMs: 50,
};

/** An answer that may become a stream. */
interface Undecided {
  readonly open: () => void;
  /** By `performance.now()`. */
  readonly due: number;
}

/** How often clients are checked within `stallMs`. */
const CHECKS_PER_STALL = 4;

/**
 * The open event streams: bounds what waits in them, counts them, and ends them on a drain. Each stream logs one line at its end (see
 * EventStream).
 */
export class Streams {
  readonly #open = new Set<EventStream>();
  readonly #limits: StreamLimits;
  /** Answers that may become streams. */
  readonly #undecided = new LinkedList<Undecided>();
  #patience: NodeJS.Timeout | undefined;
  #queued = 0;
  #draining = false;
  /** Runs while streams are open. */
  #stallCheck: Periodic | undefined;
  /** Called for every stream that has ended. */
  onEnded: (end: StreamEnd) => void = () => undefined;

  /** Connections of open streams that Node's server does not know any more. */
  readonly #released = new Set<Socket>();
  readonly #forget: (this: Socket) => void;
  /** What all streams share: thousands are open. */
  readonly #owner: StreamOwner;

  constructor(limits: Partial<StreamLimits> = {}) {
    this.#limits = { ...STREAM_LIMITS, ...limits };
    const released = this.#released;
    this.#forget = function () {
      released.delete(this);
    };
    const streams = this;
    this.#owner = {
      get draining() {
        return streams.#draining;
      },
      limit: ({ longLived }) => (longLived ? this.#limits.longLived : this.#limits.answer),
      onQueued: (change) => {
        this.#queued += change;
      },
      onRead: () => {
        if (this.#queued > this.#limits.total) this.#cutLargest();
      },
      onEnded: (stream, end) => {
        this.#open.delete(stream);
        if (this.#open.size === 0) this.#stopStallCheck();
        this.onEnded(end);
      },
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Bytes that wait in all streams for clients to read. */
  get queuedBytes(): number {
    return this.#queued;
  }

  /** The number of open streams, by route. */
  byRoute(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { options } of this.#open) counts.set(options.route, (counts.get(options.route) ?? 0) + 1);
    return counts;
  }

  /** Whether the server ends its long-lived streams, and asks clients to leave their connections. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Answers a request with an event stream: sends status 200 and the headers, and takes the response over from Fastify. */
  open(
    reply: FastifyReply,
    options: Omit<StreamOptions, "log">,
    headers: Readonly<Record<string, string>> = {},
  ): EventStream {
    const { raw } = reply.hijack();
    if (raw instanceof TimedResponse) raw.longLived = options.longLived;
    const { longLived } = options;
    const connection = longLived || this.#draining ? { connection: "close" } : {};
    const own: OutgoingHttpHeaders = reply.getHeaders() as OutgoingHttpHeaders;
    raw.writeHead(200, { ...own, ...SSE_HEADERS, ...headers, ...connection });
    const stream = this.track(raw, { ...options, log: reply.request.log });
    if (longLived) {
      reply.request.body = undefined;
      releaseRequest(raw, (socket) => this.#keep(socket));
    }
    return stream;
  }

  /**
   * An answer may still become a stream: it does after `patienceMs`, and on a drain, so that its client can resume elsewhere. All share one
   * timer: most are decided long before.
   *
   * @returns a function to call when that is decided
   */
  undecided(open: () => void): () => void {
    const { patienceMs } = this.#limits;
    const link = this.#undecided.add({ open, due: performance.now() + patienceMs });
    this.#patience ??= setTimeout(() => this.#openDue(), patienceMs).unref();
    return () => this.#undecided.remove(link);
  }

  #openDue(): void {
    const now = performance.now();
    let first = this.#undecided.first;
    for (; first && first.due <= now; first = this.#undecided.first) {
      this.#undecided.shift();
      first.open();
    }
    this.#patience = first && setTimeout(() => this.#openDue(), Math.max(first.due - now, 5)).unref();
  }

  /** Registers an event stream that is written to this response. */
  track(sink: StreamSink, options: StreamOptions): EventStream {
    const stream = new EventStream(sink, options, this.#owner);
    this.#open.add(stream);
    this.#stallCheck ??= this.#startStallCheck();
    if (this.#draining) sendAway(stream);
    return stream;
  }

  /** Disconnects the client of every long-lived stream, now and from now on. Responses to calls continue. */
  drain(): void {
    this.#draining = true;
    for (const { open } of this.#undecided) open();
    this.sendAllAway();
  }

  /** Disconnects the client of every long-lived stream that is open now. Responses to calls continue, and new streams are accepted. */
  sendAllAway(): void {
    for (const stream of [...this.#open]) sendAway(stream);
  }

  /** The principals that have a stream open. */
  principals(): Set<Principal> {
    return new Set([...this.#open].flatMap(({ options }) => options.principal ?? []));
  }

  /** Ends the streams whose principal matches. */
  endWhere(matches: (principal: Principal) => boolean, reason: DisconnectReason): void {
    for (const stream of [...this.#open]) {
      const { principal } = stream.options;
      if (principal && matches(principal)) stream.end(reason);
    }
  }

  /** Ends all streams at the end of a drain. */
  endAll(): void {
    for (const stream of [...this.#open]) stream.end("drain_timeout");
    this.#stopStallCheck();
  }

  /** Ends the connections of clients that have not read the end of their streams. */
  destroyConnections(): void {
    for (const socket of this.#released) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#released.add(socket);
    socket.once("close", this.#forget);
  }

  #startStallCheck(): Periodic {
    return new Periodic({
      everyMs: this.#limits.stallMs / CHECKS_PER_STALL,
      round: () => this.#cutStalled(),
      // Nothing in a round should throw. The process logs the unhandled rejection.
      onError: (error) => {
        throw error;
      },
    }).start();
  }

  #cutStalled(): void {
    const before = performance.now() - this.#limits.stallMs;
    for (const stream of [...this.#open])
      if ((stream.stalledSince ?? Number.POSITIVE_INFINITY) < before) stream.cut();
  }

  #cutLargest(): void {
    let largest: EventStream | undefined;
    for (const stream of this.#open) if (stream.queuedBytes > (largest?.queuedBytes ?? 0)) largest = stream;
    largest?.cut();
  }

  #stopStallCheck(): void {
    void this.#stallCheck?.stop();
    this.#stallCheck = undefined;
  }
}

function sendAway(stream: EventStream): void {
  const { longLived, onDrain } = stream.options;
  if (!longLived) return;
  if (onDrain) onDrain();
  else stream.end("drain");
}
