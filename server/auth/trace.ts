import type { AuthEvent, AuthEvents } from "./events.ts";

/** Events that are kept; an attempt to sign in is about ten. */
const KEPT = 500;

/**
 * The last events of sign-in and authorization, in memory: the server's side of each client's attempt. Events hold no secrets, but names of
 * people and addresses, so only the private socket of the server shows them.
 */
export class AuthTrace {
  readonly #events: AuthEvent[] = [];
  readonly close: () => void;

  constructor(events: AuthEvents) {
    this.close = events.subscribe((event) => {
      this.#events.push(event);
      if (this.#events.length > KEPT) this.#events.shift();
    });
  }

  /** The oldest first. */
  list(): readonly AuthEvent[] {
    return this.#events;
  }
}
