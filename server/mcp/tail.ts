import type { StoredEvent } from "../store/store.ts";

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
      const { events, more } = await source.read(place);
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
      // A store that fails ends the stream; the client comes back with its place.
      follow().then(end, end);
    },
    cancel: () => {
      ended.abort();
      clearInterval(keepAlive);
    },
  });
  return { body, end };
}

/** One server-sent event. */
export function frame(id: string, message: string): string {
  return `event: message\nid: ${id}\ndata: ${message}\n\n`;
}
