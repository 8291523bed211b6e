import { InMemoryServerEventBus, type ServerEvent, type ServerEventBus } from "@modelcontextprotocol/server";

/** How other parts of the server say that something which clients have seen is different now. */
export interface Notify {
  toolsChanged(): void;
  promptsChanged(): void;
  resourcesChanged(): void;
  resourceUpdated(uri: string): void;
}

/**
 * News for the clients of both eras: `listeners` are the `subscriptions/listen` streams of the 2026 era, `sessions` the notification
 * streams of 2025 sessions. What is published reaches the other instances too.
 */
export class Changes implements ServerEventBus, Notify {
  readonly #listeners = new InMemoryServerEventBus();
  readonly #sessions = new Set<(event: ServerEvent) => void>();
  #relay: (event: ServerEvent) => void = () => undefined;

  /** @param relay hands an event to the other instances */
  relayBy(relay: (event: ServerEvent) => void): void {
    this.#relay = relay;
  }

  publish(event: ServerEvent): void {
    this.arrive(event);
    this.#relay(event);
  }

  /** An event that another instance published. */
  arrive(event: ServerEvent): void {
    this.toListeners(event);
    for (const tell of this.#sessions) tell(event);
  }

  /** For the 2026 era alone: sessions are told by what each of them was told last (see watch.ts). */
  toListeners(event: ServerEvent): void {
    this.#listeners.publish(event);
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    return this.#listeners.subscribe(listener);
  }

  onSessionEvent(tell: (event: ServerEvent) => void): void {
    this.#sessions.add(tell);
  }

  toolsChanged(): void {
    this.publish({ kind: "tools_list_changed" });
  }

  promptsChanged(): void {
    this.publish({ kind: "prompts_list_changed" });
  }

  resourcesChanged(): void {
    this.publish({ kind: "resources_list_changed" });
  }

  resourceUpdated(uri: string): void {
    this.publish({ kind: "resource_updated", uri });
  }
}
