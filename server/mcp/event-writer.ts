import { type Batch, type CallRecord, type EventRecord, LIMITS, type Store } from "../store/store.ts";
import type { Call } from "./call.ts";
import type { Delivered } from "./delivered.ts";
import type { OpenCalls } from "./open-calls.ts";

/** Time for which events are collected into one write, milliseconds. A call that ends and is delivered within it is not written. */
const FLUSH_MS = 20;
/** Pause before a failed write is retried, and the time after which it is given up, milliseconds. */
const RETRY_MS = 500;
const GIVE_UP_MS = 60_000;

export interface EventWriterOptions {
  readonly store: Store;
  readonly instance: string;
  readonly calls: OpenCalls;
  readonly delivered: Delivered;
  /** Milliseconds, rising. */
  readonly now: () => number;
  /** Called when events of a call's stream are in the store; `readers` are the instances that read it. */
  readonly onWritten: (session: string, stream: string, readers: Iterable<string>) => void;
  /** Called when a notification of a session is in the store; any instance may have its notification stream. */
  readonly onNotification: (session: string, stream: string) => void;
  readonly onError: (error: Error) => void;
}

/** The part of a call that one write contains, so that it can be put back if the write fails. */
interface CallPart {
  readonly call: Call;
  readonly events: Call["unwritten"];
  readonly first: boolean;
}

/** Writes events to the store in batches. One write runs at a time, however slow the store is; later events go into the next one. */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #dirty = new Set<Call>();
  readonly #standalone = new StandaloneQueue();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #failingSince: number | undefined;
  #closed = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
  }

  /** A call has events to write, or has ended. */
  add(call: Call): void {
    if (this.#closed) return;
    this.#dirty.add(call);
    this.#schedule();
  }

  addNotification(event: EventRecord): void {
    if (this.#closed) return;
    this.#standalone.add(event);
    this.#schedule();
  }

  /** Drops what a session still has to write. */
  async drop(session: string, calls: readonly Call[]): Promise<void> {
    for (const call of calls) this.#dirty.delete(call);
    this.#standalone.drop(session);
    // Ensures that the write in progress is finished before the session is removed from the store.
    await this.#writing;
  }

  /** Writes what is due. */
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

  /** Writes everything, and accepts nothing from then on. */
  async close(): Promise<void> {
    for (const call of this.#dirty) call.readers.add("*");
    await this.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #writeDue(): Promise<void> {
    const { batch, parts } = this.#collect();
    if (this.#dirty.size > 0) this.#schedule();
    const standalone = this.#standalone.drain();
    if (batch.started.length + batch.events.length + batch.ended.length + standalone.length > 0)
      await this.#write(batch, parts, standalone);
  }

  #collect(): { batch: Batch; parts: CallPart[] } {
    const { calls, delivered, instance, now } = this.#options;
    const [started, ended]: [CallRecord[], CallRecord[]] = [[], []];
    const events: EventRecord[] = [];
    const parts: CallPart[] = [];
    const before = now() - FLUSH_MS;
    for (const call of [...this.#dirty]) {
      const { session, requests, stream = "" } = call;
      const needed = call.written || call.readers.size > 0;
      const done = call.finished && call.delivered && !needed;
      // Each call has its own FLUSH_MS, whenever the shared timer fires.
      if (!done && !needed && (call.startedAt ?? 0) > before) continue;
      this.#dirty.delete(call);
      if (call.finished) calls.removeStream(call);
      if (done) {
        delivered.add(call);
        continue;
      }
      const record = { session, stream, requests, instance };
      const first = !call.written;
      if (first && !call.finished) started.push(record);
      if (!first && call.finished) ended.push(record);
      call.written = true;
      for (const event of call.unwritten) events.push({ session, stream, ...event });
      parts.push({ call, events: call.unwritten, first });
      call.unwritten = [];
    }
    return { batch: { started, events, ended }, parts };
  }

  async #write(batch: Batch, parts: CallPart[], standalone: EventRecord[]): Promise<void> {
    const { store, onWritten, onNotification, onError } = this.#options;
    try {
      await store.write({ ...batch, events: [...batch.events, ...standalone] });
      this.#failingSince = undefined;
    } catch (error) {
      onError(error as Error);
      this.#failingSince ??= Date.now();
      if (Date.now() - this.#failingSince < GIVE_UP_MS && !this.#closed)
        return this.#putBack(parts, standalone);
    }
    for (const { call } of parts) onWritten(call.session, call.stream ?? "", call.readers);
    for (const { session, stream } of standalone) onNotification(session, stream);
  }

  /** The store may be back soon. Events are written idempotently, so it does not matter how far the failed write got. */
  #putBack(parts: CallPart[], standalone: EventRecord[]): void {
    for (const { call, events, first } of parts) {
      if (call.abandoned) continue;
      call.unwritten = [...events, ...call.unwritten];
      if (first) call.written = false;
      this.#options.calls.addStream(call);
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

/**
 * Events of notification streams that are not written yet. While the store is away, the newest of each session are kept, up to the store's
 * own limit for one session. So a busy session does not displace another's events.
 */
export class StandaloneQueue {
  readonly #sessions = new Map<string, EventRecord[]>();

  add(event: EventRecord): void {
    const events = this.#sessions.get(event.session);
    if (!events) this.#sessions.set(event.session, [event]);
    else if (events.push(event) > LIMITS.maxEvents) events.shift();
  }

  /** Removes and returns all events, in order for each session. */
  drain(): EventRecord[] {
    const all = [...this.#sessions.values()].flat();
    this.#sessions.clear();
    return all;
  }

  drop(session: string): void {
    this.#sessions.delete(session);
  }

  /** Adds events that could not be written, before those that were added meanwhile. */
  putBack(events: readonly EventRecord[]): void {
    const later = this.drain();
    for (const event of [...events, ...later]) this.add(event);
  }
}
