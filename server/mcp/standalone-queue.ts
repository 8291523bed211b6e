import { type EventRecord, LIMITS } from "../store/store.ts";

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
