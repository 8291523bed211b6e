import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  dispatchMessage,
  encodeMessage,
  type InstanceMessages,
  type MessageHandlers,
} from "./instance-messages.ts";
import { Peers, type PeersOptions } from "./peers.ts";

/** Longest time for which the start waits for this instance to join; then it continues in the background, milliseconds. */
const JOIN_WAIT_MS = 2_000;
/** Pause before the next attempt to join; it doubles up to the second value, milliseconds. */
const JOIN_PAUSE_MS = [500, 4_000] as const;

export type ClusterOptions = Omit<PeersOptions, "instance">;

/** The instances that share the store, seen from one of them. */
export class Cluster {
  /** The id of this instance. */
  readonly instance = randomBytes(8).toString("hex");
  readonly #options: ClusterOptions;
  /** The other instances. */
  readonly peers: Peers;
  readonly #closing = new AbortController();

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.peers = new Peers({ ...options, instance: this.instance });
  }

  /** Joins. While the store is away this goes on in the background, and the start does not wait for it. */
  async start(handlers: MessageHandlers): Promise<void> {
    await Promise.race([this.#join(handlers), sleep(JOIN_WAIT_MS, undefined, { ref: false })]);
  }

  /** Sends a message to one instance, or to all others. Errors are reported to `onError`. */
  async send<T extends keyof InstanceMessages>(
    type: T,
    message: InstanceMessages[T],
    to = "*",
  ): Promise<void> {
    if (!this.peers.others || to === this.instance) return;
    const { store, onError } = this.#options;
    await store.send(this.instance, to, encodeMessage(type, message)).catch(onError);
  }

  /** Delivers messages that were sent a moment ago, so that their effects hold for the current request. */
  poll(): void {
    if (this.peers.others) this.#options.store.poll();
  }

  stop(): void {
    this.#closing.abort();
    this.peers.stop();
  }

  async #join(handlers: MessageHandlers): Promise<void> {
    const [first, longest] = JOIN_PAUSE_MS;
    const { store, onError } = this.#options;
    const { signal } = this.#closing;
    for (let pause = first as number; !signal.aborted; pause = Math.min(pause * 2, longest)) {
      try {
        await store.receive(this.instance, (text) => dispatchMessage(text, handlers));
        await this.peers.start();
        if (signal.aborted) this.peers.stop();
        // The other instances learn of this one now, not at their next heartbeat.
        return await this.send("hello", { from: this.instance });
      } catch (error) {
        onError(error as Error);
        await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
