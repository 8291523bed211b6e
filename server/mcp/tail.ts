import type { EventStream } from "../http/event-stream.ts";
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

/**
 * What an event stream sends from the store: first the missed events, then new ones, until the source reports that no more will follow. The
 * source is read only as fast as the client reads.
 */
export class Tail {
  readonly #source: TailSource;
  readonly #opening: string;
  #place: number;
  #stopped = false;
  #stream: EventStream | undefined;
  /** Ends the current wait. */
  #wake: () => void = () => undefined;

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
    this.#run(stream).catch((error: unknown) => {
      this.stop();
      stream.fail(error);
    });
  }

  /** The client has read what was sent. */
  resume(): void {
    if (this.#stream && !this.#waiting) this.#wake();
  }

  /** Stops reading: the stream is over. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Ends the stream; a client may resume it. */
  end(): void {
    this.stop();
    this.#stream?.finish();
  }

  /** The wait is for a change, not for the client. */
  #waiting = false;

  async #run(stream: EventStream): Promise<void> {
    while (!this.#stopped) {
      // Before the read, so that an event which is written during the read is not missed.
      const change = this.#source.change();
      this.#waiting = true;
      this.#wake = () => change.cancel();
      const { events, more } = await this.#read();
      if (events.length > 0 || !more || this.#stopped) change.cancel();
      await change.promise;
      this.#waiting = false;
      for (const { n, message } of events) {
        if (this.#stopped) return;
        this.#place = n;
        if (stream.send(frame(`${n}${this.#source.tag}`, message)) || stream.over) continue;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (more) continue;
      stream.finish();
      return;
    }
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
    const wake = this.#wake;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        wake();
        resolve();
      };
    });
    this.#wake = wake;
  }
}

/** One server-sent event. */
export function frame(id: string, message: string): string {
  return `event: message\nid: ${id}\ndata: ${message}\n\n`;
}
