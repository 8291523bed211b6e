import { setTimeout as sleep } from "node:timers/promises";
import type { StoredEvent } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";

/** Pause before a read that failed is tried again; it doubles up to the second value, milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface TailSource {
  /** The events after `after`, and whether more may come. */
  read(after: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Resolves when it is worth reading again. */
  change(signal: AbortSignal): Promise<void>;
  /** Follows `n` in the event ids. */
  readonly tag: string;
}

export interface Tail {
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
  const end = () => {
    if (ended.signal.aborted) return;
    ended.abort();
    clearInterval(keepAlive);
    try {
      sink.close();
    } catch {
      // The client has gone already.
    }
  };
  const send = (text: string) => {
    if (!ended.signal.aborted) sink.enqueue(encoder.encode(text));
  };
  const keepAlive = setInterval(() => send(": keepalive\n\n"), keepAliveMs).unref();
  const follow = async () => {
    for (let place = after; !ended.signal.aborted; ) {
      const change = source.change(ended.signal);
      const { events, more } = await readPatiently(source, place, ended.signal);
      for (const { n, message } of events) {
        send(frame(`${n}${source.tag}`, message));
        place = n;
      }
      if (!more) return;
      await change;
    }
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      sink = controller;
      if (opening) send(opening);
      follow().then(end, end);
    },
    cancel: () => {
      ended.abort();
      clearInterval(keepAlive);
    },
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
