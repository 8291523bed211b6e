import { currentCaller, hasOwnLimits } from "./caller.ts";
import { LimitReached } from "./limit-reached.ts";

export interface FairQueueOptions {
  /** What the places are for, as a plural: "programs". */
  readonly what: string;
  /** Places in all. */
  readonly capacity: number;
  /** Places that one caller may hold, so that there is always one for another. */
  readonly perCaller: number;
  /** Entries of one caller that may wait. */
  readonly maxWaiting: number;
}

export interface EnterOptions {
  /** Places that it takes; cut to `perCaller`. Default 1. */
  readonly weight?: number | undefined;
  /** Gives up the place in the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait, milliseconds; default: no limit. */
  readonly waitMs?: number | undefined;
}

interface Waiting {
  readonly weight: number;
  readonly go: () => void;
}

/**
 * A number of places that callers share. Whoever has his share waits for himself; the free places go round from caller to caller, so how
 * much one caller asks for changes nothing for another.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Callers that wait, whose turn is next first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #held = new Map<string, number>();
  #used = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** Places taken, and entries that wait, over all callers. */
  get load(): { used: number; waiting: number } {
    return { used: this.#used, waiting: [...this.#waiting.values()].reduce((sum, w) => sum + w.length, 0) };
  }

  /**
   * Waits for a place for the present caller (see caller.ts).
   *
   * @returns gives the place back
   * @throws LimitReached when too many of the caller's wait, or it waited for too long; the signal's reason when that was aborted
   */
  async enter({ weight = 1, signal, waitMs }: EnterOptions = {}): Promise<() => void> {
    signal?.throwIfAborted();
    const caller = currentCaller();
    const places = Math.min(weight, this.#shareOf(caller));
    const queue = this.#waiting.get(caller);
    if (!queue && this.#fits(caller, places)) return this.#take(caller, places);
    if ((queue?.length ?? 0) >= this.#options.maxWaiting)
      throw new LimitReached(
        `${this.#busy(caller)}, and ${queue?.length} more of its requests wait for a turn, the most that may wait. Let some end, then try again.`,
      );
    await this.#wait(caller, places, signal, waitMs);
    return this.#release(caller, places);
  }

  #wait(
    caller: string,
    weight: number,
    signal: AbortSignal | undefined,
    waitMs: number | undefined,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Waiting = { weight, go: resolve };
    const queue = this.#waiting.get(caller) ?? [];
    queue.push(entry);
    this.#waiting.set(caller, queue);
    const leave = (error: unknown) => {
      const place = queue.indexOf(entry);
      if (place === -1) return;
      queue.splice(place, 1);
      if (queue.length === 0) this.#waiting.delete(caller);
      reject(error);
      this.#next();
    };
    const onAbort = () => leave(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer =
      waitMs === undefined
        ? undefined
        : setTimeout(() => {
            const waited = `This request waited ${Math.round(waitMs / 100) / 10} s for its turn`;
            leave(new LimitReached(`${waited}: ${this.#busy(caller)}. Let some end, then try again.`));
          }, waitMs).unref();
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    });
  }

  #take(caller: string, places: number): () => void {
    this.#used += places;
    this.#held.set(caller, this.#holds(caller) + places);
    return this.#release(caller, places);
  }

  #release(caller: string, places: number): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= places;
      const left = this.#holds(caller) - places;
      if (left > 0) this.#held.set(caller, left);
      else this.#held.delete(caller);
      this.#next();
    };
  }

  /** Hands out what is free. */
  #next(): void {
    for (let again = true; again; ) {
      again = false;
      // Who has least comes first, and among equals whose turn was longest ago.
      const turns = [...this.#waiting].sort(([a], [b]) => this.#holds(a) - this.#holds(b));
      for (const [caller, queue] of turns) {
        const first = queue[0];
        if (!first || this.#holds(caller) + first.weight > this.#shareOf(caller)) continue;
        // Nobody passes one whose turn it is: who needs several places would wait for ever.
        if (this.#used + first.weight > this.#options.capacity) return;
        queue.shift();
        // The caller's next turn comes after everybody else's.
        this.#waiting.delete(caller);
        if (queue.length > 0) this.#waiting.set(caller, queue);
        this.#take(caller, first.weight);
        first.go();
        again = true;
        break;
      }
    }
  }

  #holds(caller: string): number {
    return this.#held.get(caller) ?? 0;
  }

  #fits(caller: string, places: number): boolean {
    if (this.#holds(caller) + places > this.#shareOf(caller)) return false;
    return this.#used + places <= this.#options.capacity && !this.#othersWait();
  }

  /** Whether somebody waits for a free place, and not for his own to end. */
  #othersWait(): boolean {
    for (const [caller, [first]] of this.#waiting)
      if (first && this.#holds(caller) + first.weight <= this.#shareOf(caller)) return true;
    return false;
  }

  #shareOf(caller: string): number {
    const { capacity, perCaller } = this.#options;
    return hasOwnLimits(caller) ? Math.min(perCaller, capacity) : capacity;
  }

  #busy(caller: string): string {
    const { what, capacity } = this.#options;
    const whose = hasOwnLimits(caller) ? "this token" : "the server";
    return `${whose} already uses ${this.#holds(caller)} of the ${this.#shareOf(caller)} places for ${what} that it may have at once (the machine has ${capacity})`;
  }
}
