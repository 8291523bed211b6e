import type { RequestId } from "../store/store.ts";

/** A call that is over and whose answer was handed on, as far as it is needed to write it to the store after all. */
export interface DeliveredCall {
  readonly session: string;
  readonly stream: string;
  readonly requests: readonly RequestId[];
  readonly events: readonly { n: number; message: string }[];
}

export interface DeliveredLimits {
  /** How long a call is kept, milliseconds: a client whose connection broke is back by then. */
  readonly ms: number;
  /** Calls that are kept: some seconds of a busy server. */
  readonly calls: number;
  /** Characters of their events. */
  readonly chars: number;
}

export const DELIVERED_LIMITS: DeliveredLimits = { ms: 60_000, calls: 10_000, chars: 32 * 1024 * 1024 };

interface Entry {
  readonly call: DeliveredCall;
  readonly at: number;
  readonly chars: number;
}

/** The calls that were answered last, oldest first: for a client whose connection broke at the moment of the answer. */
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

  add(call: DeliveredCall): void {
    const chars = call.events.reduce((sum, { message }) => sum + message.length, 0);
    this.#entries.set(call.stream, { call, at: this.#now(), chars });
    this.#chars += chars;
    const { ms, calls, chars: mostChars } = this.#limits;
    for (const [stream, { at }] of this.#entries) {
      if (at > this.#now() - ms && this.#entries.size <= calls && this.#chars <= mostChars) break;
      this.take(stream);
    }
  }

  get(stream: string): DeliveredCall | undefined {
    return this.#entries.get(stream)?.call;
  }

  /** Takes one out. */
  take(stream: string): DeliveredCall | undefined {
    const entry = this.#entries.get(stream);
    if (!entry) return undefined;
    this.#entries.delete(stream);
    this.#chars -= entry.chars;
    return entry.call;
  }

  /** Takes all of one session out, or all. */
  takeAll(session?: string): DeliveredCall[] {
    const calls = [...this.#entries.values()].map(({ call }) => call);
    const taken = session === undefined ? calls : calls.filter((call) => call.session === session);
    for (const { stream } of taken) this.take(stream);
    return taken;
  }
}
