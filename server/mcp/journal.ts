import { AsyncLocalStorage } from "node:async_hooks";
import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";
import {
  type Batch,
  type CallRecord,
  type EventRecord,
  type RequestId,
  STANDALONE,
  type Store,
} from "../store/store.ts";
import { Delivered, type DeliveredCall } from "./delivered.ts";
import { streamTag } from "./event-id.ts";
import { StandaloneQueue } from "./standalone-queue.ts";
import type { Change } from "./tail.ts";

/** Events wait so long to be written together, milliseconds. A call that is over and answered within that time costs the store nothing. */
const FLUSH_MS = 20;
/** A write that failed is tried again after so long, and given up after so long, milliseconds. */
const RETRY_MS = 500;
const GIVE_UP_MS = 60_000;

/** One POST of a session, from its arrival to its last answer. */
export class Call {
  readonly session: string;
  readonly requests: readonly RequestId[];
  /** Its stream; undefined until the first event. */
  stream: string | undefined;
  /** The whole answer was handed to the web server, which may still hold the last of it: see Delivered. */
  delivered = false;
  finished = false;
  /** Its row is in the store. */
  written = false;
  /** Instances that read its events from the store. */
  readonly readers = new Set<string>();
  n = 0;
  tag = "";
  /** When it arrived; `performance.now()`. */
  since: number | undefined;
  /** Its session is gone: nobody will ask for it. */
  forgotten = false;
  unwritten: { n: number; message: string }[] = [];
  readonly #waiting: Set<RequestId>;

  constructor(session: string, requests: readonly RequestId[]) {
    this.session = session;
    this.requests = requests;
    this.#waiting = new Set(requests);
  }

  /** Requests that are not answered yet. */
  get waiting(): readonly RequestId[] {
    return [...this.#waiting];
  }

  answered(id: RequestId): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.finished = true;
  }
}

/** What one write takes of a call, so that it can be put back when the write fails. */
interface Taken {
  readonly call: Call;
  readonly events: Call["unwritten"];
  readonly first: boolean;
}

export interface JournalOptions {
  readonly store: Store;
  readonly instance: string;
  /** Called after events were written that another instance's client may wait for. `instance` is "*" when any may. */
  readonly tell: (instance: string, session: string, stream: string) => void;
  readonly onError: (error: Error) => void;
  /** Milliseconds, rising. Default: `performance.now`. */
  readonly now?: () => number;
}

/**
 * Keeps what this instance sends on its streams, so that a client whose connection broke reads on where it was, here or at another
 * instance. Writing is put off and done in batches; what a client has already got in full is not written at all while this instance lives.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #context = new AsyncLocalStorage<Call>();
  readonly #live = new Map<string, Call>();
  readonly #delivered: Delivered;
  readonly #now: () => number;
  readonly #dirty = new Set<Call>();
  /** Calls at work, by session. */
  readonly #open = new Map<string, Set<Call>>();
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #standalone = new StandaloneQueue();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** When the writes that fail began to. */
  #failingSince: number | undefined;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#delivered = new Delivered(this.#now);
  }

  /** What is held in memory, for tests and figures: calls at work, and calls that were delivered. */
  get size(): { open: number; live: number; delivered: number } {
    return { open: this.#open.size, live: this.#live.size, delivered: this.#delivered.size };
  }

  /** Runs the handling of one POST; what is sent meanwhile on a new stream belongs to it. */
  run<T>(call: Call, work: () => T): T {
    if (call.since === undefined) call.since = this.#now();
    if (call.requests.length > 0 && !call.finished)
      this.#open.set(call.session, (this.#open.get(call.session) ?? new Set()).add(call));
    return this.#context.run(call, work);
  }

  /** Whether calls of the session are still at work, with or without a client that listens. */
  busy(session: string): boolean {
    return this.#open.has(session);
  }

  /** The POST was answered without a stream: nothing more will come. */
  refused(call: Call): void {
    call.finished = true;
    this.#finish(call);
  }

  /** The session's view, as its transport takes it. Reading happens elsewhere (see resume.ts): a stream may be another instance's. */
  eventStore(session: string): EventStore {
    return {
      storeEvent: async (stream, message) => this.#add(session, stream, message),
      replayEventsAfter: async () => STANDALONE,
    };
  }

  #add(session: string, stream: string, message: JSONRPCMessage): string {
    if (stream === STANDALONE) {
      if (!this.#closed) {
        this.#standalone.add({ session, stream, n: undefined, message: JSON.stringify(message) });
        this.#schedule();
      }
      return "";
    }
    const call = this.#live.get(stream) ?? this.#begin(session, stream);
    if (!call) return "";
    const n = call.n++;
    // The first event is empty: it only gives the client a place to come back to.
    if ("jsonrpc" in message) {
      const text = JSON.stringify(message);
      call.unwritten.push({ n, message: text });
      if (!("method" in message) && message.id !== undefined) {
        call.answered(message.id);
        if (call.finished) this.#finish(call);
      }
    }
    if (!this.#closed) {
      this.#dirty.add(call);
      this.#schedule();
    }
    return `${n}${call.tag}`;
  }

  #begin(session: string, stream: string): Call | undefined {
    const call = this.#context.getStore();
    if (call?.session !== session || call.stream !== undefined || call.forgotten) return undefined;
    call.stream = stream;
    call.tag = streamTag({ stream, instance: this.#options.instance, requests: call.requests });
    this.#live.set(stream, call);
    return call;
  }

  #finish(call: Call): void {
    const open = this.#open.get(call.session);
    open?.delete(call);
    if (open?.size === 0) this.#open.delete(call.session);
  }

  /** The client took a request back: no answer will come. @returns its call, if this instance was at work on it */
  cancelled(session: string, request: RequestId): Call | undefined {
    const call = [...(this.#open.get(session) ?? [])].find((c) => c.requests.includes(request));
    if (!call) return undefined;
    call.answered(request);
    if (call.finished) this.#finish(call);
    if (call.stream !== undefined) {
      this.#dirty.add(call);
      this.#schedule();
    }
    return call;
  }

  /** Writes the events of one of this instance's streams, now and from now on. @returns false for a stream it does not know */
  async expose(session: string, stream: string, reader: string): Promise<boolean> {
    const kept = this.#delivered.get(stream);
    const call = this.#live.get(stream) ?? (kept && toWrite(kept));
    if (call?.session !== session) return false;
    this.#delivered.take(stream);
    call.readers.add(reader);
    this.#dirty.add(call);
    await this.flush();
    return true;
  }

  /** Waits for the next event of the stream that this instance knows of, at most `limitMs`. */
  change(session: string, stream: string, limitMs: number): Change {
    const key = `${session}/${stream}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(key) ?? new Set();
    const cancel = () => {
      clearTimeout(timer);
      waiters.delete(cancel);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      resolve();
    };
    const timer = setTimeout(cancel, limitMs).unref();
    this.#waiters.set(key, waiters.add(cancel));
    return { promise, cancel };
  }

  /** The calls of a session end without their answers: each request gets what `message` makes, JSON text, as its last event. */
  lose(session: string, message: (request: RequestId) => string): void {
    for (const call of [...(this.#open.get(session) ?? [])]) {
      for (const request of call.waiting) {
        call.unwritten.push({ n: call.n++, message: message(request) });
        call.answered(request);
      }
      this.#finish(call);
      if (call.stream === undefined) continue;
      // Its client comes back for it, to whichever instance.
      call.readers.add("*");
      this.#dirty.add(call);
      this.#schedule();
    }
  }

  /** A session is gone: lets go of its calls, whose handlers end without an answer, and of what was kept for its client. */
  async forget(session: string): Promise<void> {
    for (const call of this.#open.get(session) ?? []) {
      call.forgotten = true;
      call.finished = true;
      if (call.stream !== undefined) this.#live.delete(call.stream);
      this.#dirty.delete(call);
    }
    this.#open.delete(session);
    this.#delivered.takeAll(session);
    this.#standalone.drop(session);
    // What is being written just now is in the store before the session is removed from it.
    await this.#writing;
  }

  /** There are new events in the store. @returns whether anybody here waited for them */
  wake(session: string, stream: string): boolean {
    const waiters = this.#waiters.get(`${session}/${stream}`);
    for (const go of [...(waiters ?? [])]) go();
    return waiters !== undefined;
  }

  /** Writes what is due. One write goes on at a time; what comes meanwhile is written by the next, however slow the store is. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      this.#writing = this.#writeDue();
      return this.#writing;
    });
    return this.#next;
  }

  async #writeDue(): Promise<void> {
    const { batch, taken } = this.#collect();
    if (this.#dirty.size > 0) this.#schedule();
    const standalone = this.#standalone.take();
    if (batch.started.length + batch.events.length + batch.ended.length + standalone.length > 0)
      await this.#write(batch, taken, standalone);
  }

  /** Writes everything that a client may still come back for. Nothing is kept from then on. */
  async close(): Promise<void> {
    for (const kept of this.#delivered.takeAll()) this.#dirty.add(toWrite(kept));
    for (const call of this.#dirty) call.readers.add("*");
    await this.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #collect(): { batch: Batch; taken: Taken[] } {
    const [started, ended]: [CallRecord[], CallRecord[]] = [[], []];
    const events: EventRecord[] = [];
    const taken: Taken[] = [];
    const before = this.#now() - FLUSH_MS;
    for (const call of [...this.#dirty]) {
      const { session, requests, stream = "" } = call;
      const wanted = call.written || call.readers.size > 0;
      const done = call.finished && call.delivered && !wanted;
      // Each call has its own time, whenever the timer of all happens to go off.
      if (!done && !wanted && (call.since ?? 0) > before) continue;
      this.#dirty.delete(call);
      if (call.finished) this.#live.delete(stream);
      if (done) {
        this.#delivered.add({ session, stream, requests, events: call.unwritten });
        continue;
      }
      const record = { session, stream, requests, instance: this.#options.instance };
      const first = !call.written;
      if (first && !call.finished) started.push(record);
      if (!first && call.finished) ended.push(record);
      call.written = true;
      for (const event of call.unwritten) events.push({ session, stream, ...event });
      taken.push({ call, events: call.unwritten, first });
      call.unwritten = [];
    }
    return { batch: { started, events, ended }, taken };
  }

  async #write(batch: Batch, taken: Taken[], standalone: EventRecord[]): Promise<void> {
    const { store, tell, onError } = this.#options;
    try {
      await store.write({ ...batch, events: [...batch.events, ...standalone] });
      this.#failingSince = undefined;
    } catch (error) {
      onError(error as Error);
      this.#failingSince ??= Date.now();
      if (Date.now() - this.#failingSince < GIVE_UP_MS && !this.#closed)
        return this.#putBack(taken, standalone);
    }
    for (const { call } of taken) {
      const { session, stream = "", readers } = call;
      this.wake(session, stream);
      for (const reader of readers) if (reader !== this.#options.instance) tell(reader, session, stream);
    }
    for (const { session, stream } of standalone) if (!this.wake(session, stream)) tell("*", session, stream);
  }

  /** The store may be back soon. Writing the same event twice does nothing, so it does not matter how far the write came. */
  #putBack(taken: Taken[], standalone: EventRecord[]): void {
    for (const { call, events, first } of taken) {
      if (call.forgotten) continue;
      call.unwritten = [...events, ...call.unwritten];
      if (first) call.written = false;
      if (call.stream !== undefined) this.#live.set(call.stream, call);
      this.#dirty.add(call);
    }
    this.#standalone.putBack(standalone);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), RETRY_MS).unref();
  }

  #schedule(): void {
    if (!this.#next) this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }
}

/** A call that was delivered, as one that is to be written after all. */
function toWrite({ session, stream, requests, events }: DeliveredCall): Call {
  const call = new Call(session, requests);
  call.stream = stream;
  call.finished = true;
  call.unwritten = [...events];
  return call;
}
