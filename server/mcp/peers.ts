import { Periodic } from "../periodic.ts";
import type { Store } from "../store/store.ts";

/** Interval between two heartbeats, milliseconds. */
const BEAT_MS = 1_000;
/** An instance whose count has not changed at this many consecutive heartbeats of ours is dead. */
const MISSES = 5;
/** Shortest time between two reads of the instances, milliseconds. */
const KNOWN_MS = 1_000;

export interface PeersOptions {
  readonly store: Store;
  readonly instance: string;
  /** Host and slot: an instance that starts replaces the one that was in its slot. "" for none. */
  readonly slot: string;
  /** An instance is dead: take care of its calls. */
  readonly onDead: (instance: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

/**
 * The other instances that serve the same sessions. Heartbeats are counted, not dated: clocks may differ, and an observer that was itself
 * suspended has missed no heartbeats.
 *
 * Only the timer decides, once for each heartbeat of this instance. Nothing that a client sends makes an instance look dead.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #seen = new Map<string, { count: number; misses: number }>();
  readonly #beats: Periodic;
  #learning: Promise<void> | undefined;
  #learnedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { onError } = options;
    this.#beats = new Periodic({ everyMs: BEAT_MS, jitter: 0, round: () => this.#beat(false), onError });
  }

  async start(): Promise<void> {
    await this.#beat(true);
    this.#beats.start();
  }

  /** Whether there are other instances. */
  get others(): boolean {
    return this.#seen.size > 1;
  }

  /** Whether an instance is known. For an unknown one the store is read, at most once a second for all callers together. */
  async alive(instance: string): Promise<boolean> {
    if (!this.#seen.has(instance) && performance.now() - this.#learnedAt >= KNOWN_MS) await this.learn();
    return this.#seen.has(instance);
  }

  /** Adds the instances that started after the last heartbeat. Declares none dead. */
  learn(): Promise<void> {
    this.#learning ??= this.#readInstances().finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  stop(): void {
    void this.#beats.stop();
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

  async #beat(first: boolean): Promise<void> {
    const { store, instance, slot, onDead } = this.#options;
    const all = await store.beat(instance, slot);
    for (const [id, other] of all) {
      const known = this.#seen.get(id);
      const misses = known?.count === other.count ? known.misses + 1 : 0;
      const replaced = first && id !== instance && slot !== "" && other.slot === slot;
      if (replaced || misses >= MISSES) {
        all.delete(id);
        await onDead(id);
      } else this.#seen.set(id, { count: other.count, misses });
    }
    for (const id of [...this.#seen.keys()]) if (!all.has(id)) this.#seen.delete(id);
  }
}
