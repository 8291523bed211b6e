import type { Call } from "./call.ts";

export interface DeliveredLimits {
  /** How long a call is kept, milliseconds: a client whose connection broke has returned by then. */
  readonly ms: number;
  /** Maximum number of calls: a few seconds of a busy server. */
  readonly calls: number;
  /** Maximum number of characters in their events. */
  readonly chars: number;
}

const DELIVERED_LIMITS: DeliveredLimits = { ms: 60_000, calls: 10_000, chars: 32 * 1024 * 1024 };

interface Entry {
  readonly call: Call;
  readonly at: number;
  readonly chars: number;
}

/**
 * The most recently answered calls, oldest first, each with its unwritten events: for clients whose connection broke at the moment of the
 * answer.
 */
export class Delivered {
  readonly #limits: DeliveredLimits;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #chars = 0;

  constructor(now: () => number, limits: Partial<DeliveredLimits> = {}) {
    this.#limits = { ...DELIVERED_LIMITS, ...limits };
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get chars(): number {
    return this.#chars;
  }

  add(call: Call): void {
    const { stream: added = "" } = call;
    const chars = call.unwritten.reduce((sum, { message }) => sum + message.length, 0);
    this.#entries.set(added, { call, at: this.#now(), chars });
    this.#chars += chars;
    const { ms, calls, chars: maxChars } = this.#limits;
    for (const [stream, { at }] of this.#entries) {
      if (at > this.#now() - ms && this.#entries.size <= calls && this.#chars <= maxChars) break;
      this.remove(stream);
    }
  }

  get(stream: string): Call | undefined {
    return this.#entries.get(stream)?.call;
  }

  remove(stream: string): Call | undefined {
    const entry = this.#entries.get(stream);
    if (!entry) return undefined;
    this.#entries.delete(stream);
    this.#chars -= entry.chars;
    return entry.call;
  }

  /** Removes the calls of one session, or all. @returns them */
  removeAll(session?: string): Call[] {
    const calls = [...this.#entries.values()].map(({ call }) => call);
    const removed = session === undefined ? calls : calls.filter((call) => call.session === session);
    for (const { stream = "" } of removed) this.remove(stream);
    return removed;
  }
}
