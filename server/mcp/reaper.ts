import { Periodic } from "../periodic.ts";
import { lostCall } from "./lost-call.ts";
import type { SessionParts } from "./session-parts.ts";

/** Interval between two sweeps, milliseconds. */
const SWEEP_MS = 60_000;

/** Cleans up: ends the calls of dead instances, evicts idle sessions from memory, and removes expired data from the store. */
export class Reaper {
  readonly #parts: SessionParts;
  readonly #sweeps: Periodic;
  #sweptAt = Date.now();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { onError } = parts;
    this.#sweeps = new Periodic({ everyMs: SWEEP_MS, round: () => this.#sweep(), onError });
  }

  start(): void {
    this.#sweeps.start();
  }

  stop(): void {
    void this.#sweeps.stop();
  }

  /** Ends the calls of an instance with an error for each request, and wakes their readers. */
  async reap(instance: string): Promise<void> {
    const { store, cluster, journal } = this.#parts;
    const calls = await store.reap(instance, lostCall);
    for (const { session, stream } of calls) {
      journal.wake(session, stream);
      await cluster.send("wakeup", { session, stream, from: cluster.instance });
    }
  }

  async #sweep(): Promise<void> {
    const { store, live } = this.#parts;
    const used = live.sweep(this.#sweptAt);
    this.#sweptAt = Date.now();
    if (used.length > 0)
      await store.touch(used.map(({ id, principal }) => ({ id, principal: principal.id })));
    await store.sweep();
  }
}
