import type { Redis } from "iovalkey";
import type { ValkeyConnectionOptions } from "./valkey-connection.ts";

const CHANNEL = "mcp-edge:to:";

export interface ValkeyMessagesOptions {
  /** The connection that publishes. */
  readonly publisher: Redis;
  readonly connect: (whenAway: ValkeyConnectionOptions["whenAway"]) => Redis;
  /** Limit for the first subscription, milliseconds. */
  readonly limitMs: number;
}

/** Messages between instances, over Valkey's pub/sub. One that is published while the subscriber reconnects is lost. */
export class ValkeyMessages {
  readonly #options: ValkeyMessagesOptions;
  #subscriber: Redis | undefined;

  constructor(options: ValkeyMessagesOptions) {
    this.#options = options;
  }

  async send(from: string, to: string, text: string): Promise<void> {
    await this.#options.publisher.publish(CHANNEL + to, JSON.stringify({ from, text }));
  }

  async receive(instance: string, listener: (text: string) => void): Promise<void> {
    this.close();
    // A connection that subscribes can do nothing else.
    const subscriber = this.#options.connect("resubscribe");
    this.#subscriber = subscriber;
    subscriber.on("message", (_channel, envelope) => {
      const { from, text } = JSON.parse(envelope) as { from: string; text: string };
      if (from !== instance) listener(text);
    });
    const subscribed = subscriber.subscribe(`${CHANNEL}*`, CHANNEL + instance);
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error("Subscribing timed out")), this.#options.limitMs).unref();
    });
    await Promise.race([subscribed, late]);
  }

  close(): void {
    this.#subscriber?.disconnect();
  }
}
