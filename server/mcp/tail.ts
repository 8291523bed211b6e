import type { EventStream } from "../http/event-stream.ts";
import type { StoredEvent } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";

/** Pause before a failed read is retried; it doubles up to the second value, milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface TailSource {
  /** The next events after `after` (a page of them, if there are many), and whether more may follow. */
  read(after: number): Promise<{ events: StoredEvent[]; more: boolean }>;
  /** Calls back when there may be new events. @returns stops it */
  watch(onChange: () => void): () => void;
  /** The part of the event ids after `n`. */
  readonly tag: string;
}

const nothing = () => undefined;

/**
 * What an event stream sends from the store: first the missed events, then new ones, until the source reports that no more will follow. The
 * source is read only as fast as the client reads.
 *
 * Thousands are idle at the same time. So an idle one has no promise that waits, and each reading leaves nothing that outlives it.
 */
export class Tail {
  readonly #source: TailSource;
  readonly #opening: string;
  #place: number;
  #stopped = false;
  #stream: EventStream | undefined;
  #unwatch: () => void = nothing;
  /** The source is being read, or what it gave is being sent. */
  #busy = false;
  /** There may be events that the reading in progress has missed. */
  #changed = false;
  /** Set while the client has not read what was sent. */
  #onRoom: () => void = nothing;
  /** Ends the pause before a retry, if there is one. */
  #endPause: () => void = nothing;

  /**
   * @param after position to resume from
   * @param opening sent first, for example an event with an id to resume from
   */
  constructor(source: TailSource, after: number, opening: string) {
    this.#source = source;
    this.#place = after;
    this.#opening = opening;
  }

  /** Sends to this stream until it ends. */
  start(stream: EventStream): void {
    this.#stream = stream;
    if (this.#stopped) {
      stream.finish();
      return;
    }
    if (this.#opening) stream.send(this.#opening);
    // Before the first read, so that an event which is written during the read is not missed.
    this.#unwatch = this.#source.watch(() => this.#onChange(stream));
    this.#onChange(stream);
  }

  /** The client has read what was sent. */
  resume(): void {
    this.#onRoom();
  }

  /** Stops reading: the stream is over. */
  stop(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#unwatch = nothing;
    this.#onRoom();
    this.#endPause();
  }

  /** Ends the stream; a client may resume it. */
  end(): void {
    this.stop();
    this.#stream?.finish();
  }

  #onChange(stream: EventStream): void {
    this.#changed = true;
    if (this.#busy || this.#stopped) return;
    this.#sendNew(stream).catch((error: unknown) => {
      this.stop();
      stream.fail(error);
    });
  }

  async #sendNew(stream: EventStream): Promise<void> {
    this.#busy = true;
    try {
      while (this.#changed && !this.#stopped) await this.#sendPage(stream);
    } finally {
      // In the same turn as the last look at `#changed`.
      this.#busy = false;
    }
  }

  async #sendPage(stream: EventStream): Promise<void> {
    this.#changed = false;
    const { events, more } = await this.#read();
    for (const { n, message } of events) {
      if (this.#stopped) return;
      this.#place = n;
      if (stream.send(frame(`${n}${this.#source.tag}`, message)) || stream.over) continue;
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
      this.#onRoom = nothing;
    }
    // There may be another page.
    if (events.length > 0) this.#changed = true;
    if (more) return;
    this.stop();
    stream.finish();
  }

  /**
   * Reads with retries. An outage of the store does not end the stream: thousands of clients would reconnect at once, again and again. The
   * stream stays open and silent until the store answers.
   */
  async #read(): ReturnType<TailSource["read"]> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#source.read(this.#place);
      } catch (error) {
        if (this.#stopped) return { events: [], more: false };
        if (!(error instanceof StoreUnavailable)) throw error;
        await this.#pause(pause);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = nothing;
  }
}

/** One server-sent event. */
export function frame(id: string, message: string): string {
  return `event: message\nid: ${id}\ndata: ${message}\n\n`;
}
