import { setTimeout as sleep } from "node:timers/promises";
import type { StoredEvent } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";

/** Pause before a read that failed is tried again; it doubles up to the second value, milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** A wait that is over when its promise resolves, or when it is given up; giving it up resolves the promise too. */
export interface Change {
  readonly promise: Promise<void>;
  cancel(): void;
}

export interface TailSource {
  /** The next events after `after` (some of them, if there are many), and whether more may come. */
  read(after: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Begins to wait for something new to read. */
  change(): Change;
  /** Follows `n` in the event ids. */
  readonly tag: string;
}

export interface Tail {
  /** Nothing is read from the source while the body is not read. */
  readonly body: ReadableStream<Uint8Array>;
  /** Ends the stream; a client may come back to it. */
  end(): void;
}

const encoder = new TextEncoder();

/**
 * An event stream that is read from the store: what was missed first, then what comes, until the source says that no more will.
 *
 * @param after place to read on from
 * @param opening sent first, for instance a place to come back to
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
    // A client that does not read is not helped by more to read.
    if ((sink.desiredSize ?? 0) > 0) sink.enqueue(encoder.encode(": keepalive\n\n"));
  }, keepAliveMs).unref();
  const next = async () => {
    while (waiting.length === 0 && more && !ended.signal.aborted) {
      // Asked for before the read: what is written in between is not missed.
      change = source.change();
      ({ events: waiting, more } = await readPatiently(source, place, ended.signal));
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
 * A store that is away cuts no stream: thousands of clients would come back at once, again and again. The stream stays open and silent
 * until the store answers.
 */
async function readPatiently(source: TailSource, place: number, ended: AbortSignal) {
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
