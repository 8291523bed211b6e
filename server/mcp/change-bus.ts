import { InMemoryServerEventBus, type ServerEvent, type ServerEventBus } from "@modelcontextprotocol/server";

/** Changes of lists and resources, for the clients of both eras that are connected to this instance. */
export class ChangeBus implements ServerEventBus {
  readonly #listeners = new InMemoryServerEventBus();
  readonly #sessions = new InMemoryServerEventBus();

  publish(event: ServerEvent): void {
    this.#listeners.publish(event);
    this.#sessions.publish(event);
  }

  /** For the 2026 era alone. 2025 sessions are notified by comparison with their state (see change-watcher.ts). */
  publishToListeners(event: ServerEvent): void {
    this.#listeners.publish(event);
  }

  /** For the `subscriptions/listen` streams of the 2026 era. */
  subscribe(listener: (event: ServerEvent) => void): () => void {
    return this.#listeners.subscribe(listener);
  }

  /** For the notification streams of 2025 sessions. */
  subscribeSessions(listener: (event: ServerEvent) => void): () => void {
    return this.#sessions.subscribe(listener);
  }
}
