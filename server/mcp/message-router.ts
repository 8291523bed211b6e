import type { Cluster } from "./cluster.ts";
import type { CancelledNotification } from "./instance-messages.ts";
import type { Journal } from "./journal.ts";
import type { Message } from "./messages.ts";
import type { Session } from "./session.ts";
import { senderOf } from "./session-transport.ts";

/** Passes a client's answers and cancellations to the instance that they concern. */
export class MessageRouter {
  readonly #cluster: Cluster;
  readonly #journal: Journal;

  constructor(cluster: Cluster, journal: Journal) {
    this.#cluster = cluster;
    this.#journal = journal;
  }

  /** @returns whether the message was passed on, so that nothing else is to be done */
  async route(session: Session, message: Message): Promise<boolean> {
    if (message.method === undefined && ("result" in message || "error" in message)) {
      const instance = senderOf(message.id);
      if (instance) await this.#answer(session, instance, message as { id: string });
      return true;
    }
    if (message.method !== "notifications/cancelled") return false;
    const cancelled = message as CancelledNotification;
    if (!this.cancel(session, cancelled))
      await this.#cluster.send("cancelled", { session: session.id, message: cancelled });
    return true;
  }

  /** Cancels a request that this instance runs. @returns false if it does not */
  cancel(session: Session, message: CancelledNotification): boolean {
    const request = message.params?.requestId;
    const call = request === undefined ? undefined : this.#journal.cancelled(session.id, request);
    if (request === undefined || !call) return false;
    session.transport.onmessage?.(message as Parameters<NonNullable<typeof session.transport.onmessage>>[0]);
    session.transport.abandon(request);
    return true;
  }

  async #answer(session: Session, instance: string, message: { id: string }): Promise<void> {
    if (instance === this.#cluster.instance) session.transport.receive(message);
    else await this.#cluster.send("answer", { session: session.id, message }, instance);
  }
}
