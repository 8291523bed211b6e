import { AsyncLocalStorage } from "node:async_hooks";
import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";
import { type RequestId, STANDALONE, type Store } from "../store/store.ts";
import { Call } from "./call.ts";
import { Delivered } from "./delivered.ts";
import { streamTag } from "./event-id.ts";
import { EventWriter } from "./event-writer.ts";
import { OpenCalls } from "./open-calls.ts";
import { StreamWaiters } from "./stream-waiters.ts";
import type { Change } from "./tail.ts";

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
  readonly #context = new AsyncLocalStorage<Call>();
  readonly #now: () => number;
  readonly #calls = new OpenCalls();
  readonly #delivered: Delivered;
  readonly #waiters = new StreamWaiters();
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

  /** Runs the handling of one POST. Events on a new stream that are sent in it belong to this call. */
  run<T>(call: Call, work: () => T): T {
    if (call.startedAt === undefined) call.startedAt = this.#now();
    this.#calls.start(call);
    return this.#context.run(call, work);
  }

  /** Runs work whose answers are not kept. */
  unjournaled<T>(work: () => T): T {
    return this.run(new Call("", []), work);
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

  /** The session's view, for its transport. Reading is done in resume.ts, because a stream may be another instance's. */
  eventStore(session: string): EventStore {
    return {
      storeEvent: async (stream, message) => this.#add(session, stream, message),
      replayEventsAfter: async () => STANDALONE,
    };
  }

  #add(session: string, stream: string, message: JSONRPCMessage): string {
    if (stream === STANDALONE) {
      this.#writer.addNotification({ session, stream, n: undefined, message: JSON.stringify(message) });
      return "";
    }
    const call = this.#calls.byStream(stream) ?? this.#begin(session, stream);
    if (!call) return "";
    const n = call.n++;
    // The first event is empty: it only gives the client an id to resume from.
    if ("jsonrpc" in message) {
      const text = JSON.stringify(message);
      call.unwritten.push({ n, message: text });
      if (!("method" in message) && message.id !== undefined) {
        call.answered(message.id);
        if (call.finished) this.#calls.finish(call);
      }
    }
    this.#writer.add(call);
    return `${n}${call.tag}`;
  }

  #begin(session: string, stream: string): Call | undefined {
    const call = this.#context.getStore();
    if (call?.session !== session || call.stream !== undefined || call.abandoned) return undefined;
    call.stream = stream;
    call.tag = streamTag({ stream, instance: this.#options.instance, requests: call.requests });
    this.#calls.addStream(call);
    return call;
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

  /** Waits for the next event of the stream that this instance learns of, at most `limitMs`. */
  change(session: string, stream: string, limitMs: number): Change {
    return this.#waiters.wait(session, stream, limitMs);
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

  /** The store has new events. @returns whether a reader of this instance waited for them */
  wake(session: string, stream: string): boolean {
    return this.#waiters.wake(session, stream);
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
