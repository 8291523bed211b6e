import { type EventRecord, LIMITS } from "../store/store.ts";

/**
 * Events of notification streams that are not written yet. While the store is away the newest of each session are kept, up to the store's
 * own limit for one session: a busy session pushes out no other's.
 */
export class StandaloneQueue {
  readonly #sessions = new Map<string, EventRecord[]>();

  add(event: EventRecord): void {
    const events = this.#sessions.get(event.session);
    if (!events) this.#sessions.set(event.session, [event]);
    else if (events.push(event) > LIMITS.maxEvents) events.shift();
  }

  /** Takes all of them out, in order for each session. */
  take(): EventRecord[] {
    const all = [...this.#sessions.values()].flat();
    this.#sessions.clear();
    return all;
  }

  drop(session: string): void {
    this.#sessions.delete(session);
  }

  /** Events that could not be written come before those that were added since. */
  putBack(events: readonly EventRecord[]): void {
    const since = this.take();
    for (const event of [...events, ...since]) this.add(event);
  }
}
