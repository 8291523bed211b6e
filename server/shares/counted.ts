import { ReusedMap } from "../reused-map.ts";
import { currentCaller, hasOwnLimits } from "./caller.ts";
import { LimitReached } from "./limit-reached.ts";

/** Counts what each caller has open, and refuses to exceed the limit. */
export class Counted {
  readonly #open = new ReusedMap<string, number>();
  readonly #max: number;
  readonly #refusal: (max: number) => string;

  /**
   * @param max the most that one caller may have; 0: no limit
   * @param refusal makes the message for the caller: the limit, and what to do
   */
  constructor(max: number, refusal: (max: number) => string) {
    this.#max = max;
    this.#refusal = refusal;
  }

  /** How many the caller has open. */
  of(caller: string): number {
    return this.#open.get(caller) ?? 0;
  }

  /** Counts one for the current caller while the work runs. @throws LimitReached */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.open(currentCaller());
    try {
      return await work();
    } finally {
      done();
    }
  }

  /** @returns a function that the caller must call when they are closed @throws LimitReached */
  open(caller: string, count = 1): () => void {
    const open = this.of(caller) + count;
    if (this.#max > 0 && open > this.#max && hasOwnLimits(caller))
      throw new LimitReached(this.#refusal(this.#max));
    this.#open.set(caller, open);
    let closed = false;
    return () => {
      if (closed) return;
      closed = true;
      const left = this.of(caller) - count;
      if (left > 0) this.#open.set(caller, left);
      else this.#open.delete(caller);
    };
  }
}
