import { type RequestId, STANDALONE, type Store } from "../store/store.ts";
import type { Call } from "./call.ts";
import { Delivered } from "./delivered.ts";
import { streamTag } from "./event-id.ts";
import { EventWriter } from "./event-writer.ts";
import { OpenCalls } from "./open-calls.ts";
import { StreamWatchers } from "./stream-watchers.ts";

export interface JournalOptions {
  readonly store: Store;
  readonly instance: string;
  /** Called after events were written for a client of another instance. `instance` is "*" if it may be any. */
  readonly notify: (instance: string, session: string, stream: string) => void;
  readonly onError: (error: Error) => void;
  /** Milliseconds, rising. Default: `performance.now`. */
  readonly now?: () => number;
}

/**
 * Keeps what this instance sends on its streams, so that a client whose connection broke can resume, here or at another instance. Events
 * are written in batches; those that a client has received in full are not written while this instance lives.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #now: () => number;
  readonly #calls = new OpenCalls();
  readonly #delivered: Delivered;
  readonly #watchers = new StreamWatchers();
  readonly #writer: EventWriter;

  constructor(options: JournalOptions) {
    this.#options = options;
    const { store, instance, notify, onError } = options;
    this.#now = options.now ?? (() => performance.now());
    this.#delivered = new Delivered(this.#now);
    this.#writer = new EventWriter({
      store,
      instance,
      calls: this.#calls,
      delivered: this.#delivered,
      now: this.#now,
      onWritten: (session, stream, readers) => {
        this.wake(session, stream);
        for (const reader of readers) if (reader !== instance) notify(reader, session, stream);
      },
      onNotification: (session, stream) => {
        if (!this.wake(session, stream)) notify("*", session, stream);
      },
      onError,
    });
  }

  /** What is held in memory, for tests and figures. */
  get size(): { open: number; live: number; delivered: number } {
    return { ...this.#calls.size, delivered: this.#delivered.size };
  }

  /** A POST has arrived. */
  start(call: Call): void {
    if (call.startedAt === undefined) call.startedAt = this.#now();
    this.#calls.start(call);
  }

  /** Whether calls of the session are in progress, with or without a connected client. */
  busy(session: string): boolean {
    return this.#calls.busy(session);
  }

  /** The POST was answered without a stream: no events will follow. */
  endWithoutStream(call: Call): void {
    call.finished = true;
    this.#calls.finish(call);
  }

  /** The answer to a POST becomes a stream: from now on its client can resume. */
  begin(call: Call, stream: string): void {
    if (call.abandoned || call.stream !== undefined) return;
    call.stream = stream;
    call.tag = streamTag({ stream, instance: this.#options.instance, requests: call.requests });
    this.#calls.addStream(call);
  }

  /**
   * Keeps an event of a call's stream.
   *
   * @param text JSON; undefined for an event that only gives the client an id to resume from
   * @param response the request that it answers
   * @returns the event's id; "" for a call whose client cannot resume
   */
  event(call: Call, text: string | undefined, response?: RequestId): string {
    if (call.stream === undefined || call.abandoned) return "";
    const n = call.n++;
    if (text !== undefined) {
      call.unwritten.push({ n, message: text });
      if (response !== undefined) {
        call.answered(response);
        if (call.finished) this.#calls.finish(call);
      }
    }
    this.#writer.add(call);
    return `${n}${call.tag}`;
  }

  /** Keeps a notification of a session, for its notification stream at any instance. */
  notification(session: string, text: string): void {
    this.#writer.addNotification({ session, stream: STANDALONE, n: undefined, message: text });
  }

  /** The client cancelled a request, so that no answer follows. @returns its call, if this instance runs it */
  cancelled(session: string, request: RequestId): Call | undefined {
    const call = this.#calls.inProgress(session).find((c) => c.requests.includes(request));
    if (!call) return undefined;
    call.answered(request);
    if (call.finished) this.#calls.finish(call);
    if (call.stream !== undefined) this.#writer.add(call);
    return call;
  }

  /**
   * Writes the events of one of this instance's streams to the store, now and from now on.
   *
   * @param reader the instance that reads them
   * @returns false for an unknown stream
   */
  async expose(session: string, stream: string, reader: string): Promise<boolean> {
    const call = this.#calls.byStream(stream) ?? this.#delivered.get(stream);
    if (call?.session !== session) return false;
    this.#delivered.remove(stream);
    call.readers.add(reader);
    this.#writer.add(call);
    await this.flush();
    return true;
  }

  /** See StreamWatchers. */
  watch(session: string, stream: string, everyMs: number, listener: () => void): () => void {
    return this.#watchers.watch(session, stream, everyMs, listener);
  }

  /** Ends the calls of a session without their answers. `message` makes the last event of each request, as JSON text. */
  fail(session: string, message: (request: RequestId) => string): void {
    for (const call of this.#calls.inProgress(session)) {
      for (const request of call.pending) {
        call.unwritten.push({ n: call.n++, message: message(request) });
        call.answered(request);
      }
      this.#calls.finish(call);
      if (call.stream === undefined) continue;
      // Its client resumes at any instance.
      call.readers.add("*");
      this.#writer.add(call);
    }
  }

  /** A session was removed: drops its calls, whose handlers end without an answer, and all that was kept for its client. */
  async forget(session: string): Promise<void> {
    const calls = this.#calls.abandon(session);
    this.#delivered.removeAll(session);
    await this.#writer.drop(session, calls);
  }

  /** The store has new events. @returns whether a reader of this instance follows the stream */
  wake(session: string, stream: string): boolean {
    return this.#watchers.wake(session, stream);
  }

  /** Writes what is due. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Writes everything that a client may still resume. Nothing is kept from then on. */
  async close(): Promise<void> {
    for (const call of this.#delivered.removeAll()) this.#writer.add(call);
    await this.#writer.close();
  }
}
