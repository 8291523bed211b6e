import type { Store } from "../store/store.ts";

/** Between two heart beats, milliseconds. */
const BEAT_MS = 1_000;
/** An instance whose beats did not come so many times in a row is dead. */
const MISSES = 5;

export interface PeersOptions {
  readonly store: Store;
  readonly instance: string;
  /** The place that this instance takes: who was there before is gone. "" for none. */
  readonly slot: string;
  /** An instance is dead: take care of its calls. */
  readonly onDead: (instance: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/**
 * Who else serves the same sessions. Beats are counted, not dated: clocks may differ, and an observer that slept itself (a suspended
 * machine) has seen no beat missing, since it only judges at its own beats.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #seen = new Map<string, { count: number; misses: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#beat(true);
    this.#timer = setInterval(() => {
      this.#beat(false).catch(this.#options.onError);
    }, BEAT_MS).unref();
  }

  get others(): boolean {
    return this.#seen.size > 1;
  }

  /** Looks anew for one that began after the last beat. */
  async alive(instance: string): Promise<boolean> {
    if (!this.#seen.has(instance)) await this.#beat(false).catch(this.#options.onError);
    return this.#seen.has(instance);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(first: boolean): Promise<void> {
    const { store, instance, slot, onDead } = this.#options;
    const all = await store.beat(instance, slot);
    for (const [id, { slot: place, count }] of all) {
      const known = this.#seen.get(id);
      const misses = known?.count === count ? known.misses + 1 : 0;
      const replaced = first && id !== instance && slot !== "" && place === slot;
      if (replaced || misses >= MISSES) {
        all.delete(id);
        await onDead(id);
      } else this.#seen.set(id, { count, misses });
    }
    for (const id of [...this.#seen.keys()]) if (!all.has(id)) this.#seen.delete(id);
  }
}
