import { ReusedMap } from "../reused-map.ts";
import { currentCaller, hasOwnLimits } from "./caller.ts";
import { LimitReached } from "./limit-reached.ts";

export interface FairQueueOptions {
  /** What the places are for, in the plural: "programs". */
  readonly what: string;
  /** Places in total. */
  readonly capacity: number;
  /** Places that one caller may hold. Fewer than `capacity` leaves room for others. */
  readonly perCaller: number;
  /** The most entries of one caller that may wait. */
  readonly maxWaiting: number;
}

export interface EnterOptions {
  /** Places that the work needs, at most `perCaller`. Default 1. */
  readonly weight?: number | undefined;
  /** Leaves the queue when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait, milliseconds; default: no limit. */
  readonly waitMs?: number | undefined;
}

interface Waiting {
  readonly weight: number;
  readonly go: () => void;
}

/**
 * A number of places that callers share. A caller that holds its full share waits only for its own work to end. Free places go to the
 * callers in turn, so the demand of one caller does not delay another.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Waiting entries by caller. The caller whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #held = new ReusedMap<string, number>();
  #used = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** Places in use and waiting entries, over all callers. */
  get load(): { used: number; waiting: number } {
    return { used: this.#used, waiting: [...this.#waiting.values()].reduce((sum, w) => sum + w.length, 0) };
  }

  /**
   * Waits for a place for the current caller (see caller.ts).
   *
   * @returns a function that releases the place
   * @throws LimitReached if too many entries of the caller wait, or after `waitMs`; the signal's reason when it is aborted
   */
  async enter({ weight = 1, signal, waitMs }: EnterOptions = {}): Promise<() => void> {
    signal?.throwIfAborted();
    const caller = currentCaller();
    const places = Math.min(weight, this.#shareOf(caller));
    const queue = this.#waiting.get(caller);
    if (!queue && this.#fits(caller, places)) return this.#acquire(caller, places);
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

  #acquire(caller: string, places: number): () => void {
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

  /** Gives free places to waiting callers. */
  #next(): void {
    for (let again = true; again; ) {
      again = false;
      // The caller with the fewest places comes first. Among equals, it is the one whose last turn is longest ago.
      const turns = [...this.#waiting].sort(([a], [b]) => this.#holds(a) - this.#holds(b));
      for (const [caller, queue] of turns) {
        const first = queue[0];
        if (!first || this.#holds(caller) + first.weight > this.#shareOf(caller)) continue;
        // Nobody overtakes this caller. Otherwise an entry that needs several places might wait for ever.
        if (this.#used + first.weight > this.#options.capacity) return;
        queue.shift();
        // Moves the caller to the end of the map: its next turn comes last.
        this.#waiting.delete(caller);
        if (queue.length > 0) this.#waiting.set(caller, queue);
        this.#acquire(caller, first.weight);
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

  /** Whether another caller waits for a free place, rather than for its own work to end. */
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
