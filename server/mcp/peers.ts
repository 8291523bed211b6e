import type { Store } from "../store/store.ts";

/** Between two heart beats, milliseconds. */
const BEAT_MS = 1_000;
/** An instance whose count stood still at so many beats of ours in a row is dead. */
const MISSES = 5;
/** What the store said of the instances is asked again after so long at the earliest, milliseconds. */
const KNOWN_MS = 1_000;

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
 * Which other instances serve the same sessions. Beats are counted, not dated: clocks may differ, and an observer that stood still itself (a
 * suspended machine) has seen no beat missing.
 *
 * Only the timer judges, once for each beat of this instance. Nothing that a client sends makes an instance look dead.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #seen = new Map<string, { count: number; misses: number }>();
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  #learning: Promise<void> | undefined;
  #learnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#beat(true);
    this.#timer = setInterval(() => void this.#tick(), BEAT_MS).unref();
  }

  get others(): boolean {
    return this.#seen.size > 1;
  }

  /** Whether an instance is known; the store is asked about one that is not, at most once a second whoever asks. */
  async alive(instance: string): Promise<boolean> {
    if (!this.#seen.has(instance) && performance.now() - this.#learnedAt >= KNOWN_MS) await this.learn();
    return this.#seen.has(instance);
  }

  /** Takes in the instances that began after the last beat. Judges none. */
  learn(): Promise<void> {
    this.#learning ??= this.#readInstances().finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #readInstances(): Promise<void> {
    const { store, onError } = this.#options;
    try {
      const all = await store.instances();
      for (const [id, { count }] of all) if (!this.#seen.has(id)) this.#seen.set(id, { count, misses: 0 });
    } catch (error) {
      onError(error as Error);
    }
    this.#learnedAt = performance.now();
  }

  /** One beat at a time: several that a slow store answers at once would each find the same count. */
  async #tick(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    await this.#beat(false).catch(this.#options.onError);
    this.#beating = false;
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
