import { setTimeout as sleep } from "node:timers/promises";
import type { StoredEvent } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";

/** Pause before a failed read is retried; it doubles up to the second value, milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** A wait for a change. Cancelling it resolves the promise too. */
export interface Change {
  readonly promise: Promise<void>;
  cancel(): void;
}

export interface TailSource {
  /** The next events after `after` (a page of them, if there are many), and whether more may follow. */
  read(after: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Starts to wait for new events. */
  change(): Change;
  /** The part of the event ids after `n`. */
  readonly tag: string;
}

export interface Tail {
  /** The source is read only as fast as the body. */
  readonly body: ReadableStream<Uint8Array>;
  /** Ends the stream; a client may resume it. */
  end(): void;
}

const encoder = new TextEncoder();

/**
 * An event stream that is read from the store: first the missed events, then new ones, until the source reports that no more will follow.
 *
 * @param after position to resume from
 * @param opening sent first, for example an event with an id to resume from
 */
export function tailStream(source: TailSource, after: number, opening: string, keepAliveMs: number): Tail {
  const ended = new AbortController();
  let sink!: ReadableStreamDefaultController<Uint8Array>;
  let place = after;
  let waiting: StoredEvent[] = [];
  let more = true;
  let change: Change | undefined;
  const stop = () => {
    ended.abort();
    change?.cancel();
    clearInterval(keepAlive);
  };
  const end = () => {
    if (ended.signal.aborted) return;
    stop();
    sink.close();
  };
  const keepAlive = setInterval(() => {
    // A client that does not read gets no more to read.
    if ((sink.desiredSize ?? 0) > 0) sink.enqueue(encoder.encode(": keepalive\n\n"));
  }, keepAliveMs).unref();
  const next = async () => {
    while (waiting.length === 0 && more && !ended.signal.aborted) {
      // Before the read, so that an event which is written during the read is not missed.
      change = source.change();
      ({ events: waiting, more } = await readWithRetries(source, place, ended.signal));
      if (waiting.length > 0 || !more) change.cancel();
      await change.promise;
    }
    if (ended.signal.aborted) return;
    const event = waiting.shift();
    if (!event) return end();
    place = event.n;
    sink.enqueue(encoder.encode(frame(`${event.n}${source.tag}`, event.message)));
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      sink = controller;
      if (opening) sink.enqueue(encoder.encode(opening));
    },
    pull: () =>
      next().catch((error) => {
        stop();
        throw error;
      }),
    cancel: stop,
  });
  return { body, end };
}

/**
 * Reads with retries. An outage of the store does not end the stream: thousands of clients would reconnect at once, again and again. The
 * stream stays open and silent until the store answers.
 */
async function readWithRetries(source: TailSource, place: number, ended: AbortSignal) {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await source.read(place);
    } catch (error) {
      if (ended.aborted || !(error instanceof StoreUnavailable)) throw error;
      await sleep(pause, undefined, { signal: ended, ref: false });
    }
  }
}

/** One server-sent event. */
export function frame(id: string, message: string): string {
  return `event: message\nid: ${id}\ndata: ${message}\n\n`;
}
