import { Periodic } from "../periodic.ts";
import type { UsageStore } from "./usage-store.ts";

const DAY_MS = 86_400_000;
let lastDay = { number: Number.NaN, text: "" };

/** The day in UTC, as `2026-07-28`. Quotas are reset at midnight UTC. */
export function dayOf(now: number): string {
  const number = Math.floor(now / DAY_MS);
  if (number !== lastDay.number) lastDay = { number, text: new Date(now).toISOString().slice(0, 10) };
  return lastDay.text;
}

/** Whole seconds from `now` (milliseconds since 1970) to the next midnight UTC, at least 1. */
export function secondsToMidnight(now: number): number {
  return Math.max(1, Math.ceil((DAY_MS - (now % DAY_MS)) / 1_000));
}

export interface UsageOptions {
  /** Interval of the reports to the store, milliseconds. Default one minute: a killed server loses the calls since its last report. */
  readonly everyMs?: number;
  /** Told when the store fails; counting goes on in memory and is reported later. */
  readonly onProblem?: (problem: Error) => void;
  readonly now?: () => number;
}

interface Pending {
  calls: number;
  lastUsedAt: number;
}

/**
 * Counts calls by token and day, and when each was used last. A request costs two map entries; the store is written once a minute,
 * and only when there is something new.
 */
export class Usage {
  readonly #store: UsageStore;
  readonly #onProblem: (problem: Error) => void;
  readonly #now: () => number;
  readonly #reports: Periodic;
  /** The day's calls as the store last said, which includes what other processes counted. */
  #stored = new Map<string, number>();
  #pending = new Map<string, Pending>();
  #day: string;
  #flushing: Promise<void> = Promise.resolve();

  constructor(store: UsageStore, options: UsageOptions = {}) {
    this.#store = store;
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#now = options.now ?? Date.now;
    this.#day = dayOf(this.#now());
    this.#reports = new Periodic({
      everyMs: options.everyMs ?? 60_000,
      round: () => this.flush(),
      onError: this.#onProblem,
    }).start();
  }

  /** Notes that a token was used now, without counting a call. */
  touch(token: string): void {
    this.#entry(token).lastUsedAt = this.#now();
  }

  /**
   * Counts one call, unless the token has had `quota` calls today (0: no quota).
   *
   * @returns 0 if it was counted, else the seconds until the quota is reset
   */
  count(token: string, quota: number): number {
    const now = this.#now();
    if (dayOf(now) !== this.#day) void this.flush();
    const entry = this.#entry(token);
    entry.lastUsedAt = now;
    if (quota > 0 && (this.#stored.get(token) ?? 0) + entry.calls >= quota) return secondsToMidnight(now);
    entry.calls++;
    return 0;
  }

  /** Reports to the store; also the way to learn at start what was counted before. Never fails: see onProblem. */
  flush(): Promise<void> {
    const day = this.#day;
    const today = dayOf(this.#now());
    const pending = this.#pending;
    this.#pending = new Map();
    if (today !== day) this.#stored = new Map();
    else
      for (const [token, { calls }] of pending)
        this.#stored.set(token, (this.#stored.get(token) ?? 0) + calls);
    this.#day = today;
    this.#flushing = this.#flushing.then(() => this.#report(day, pending));
    return this.#flushing;
  }

  async close(): Promise<void> {
    await this.#reports.stop();
    await this.flush();
    await this.#store.close();
  }

  async #report(day: string, pending: Map<string, Pending>): Promise<void> {
    try {
      const deltas = [...pending].map(([token, delta]) => ({ token, ...delta }));
      const totals = await this.#store.add(day, deltas);
      if (day === this.#day) this.#stored = totals;
    } catch (error) {
      this.#onProblem(error as Error);
      if (day === this.#day) this.#takeBack(pending);
    }
  }

  /** What could not be reported is pending again; `flush` had already moved it to the known totals. */
  #takeBack(pending: Map<string, Pending>): void {
    for (const [token, { calls, lastUsedAt }] of pending) {
      this.#stored.set(token, Math.max(0, (this.#stored.get(token) ?? 0) - calls));
      const entry = this.#entry(token);
      entry.calls += calls;
      entry.lastUsedAt = Math.max(entry.lastUsedAt, lastUsedAt);
    }
  }

  #entry(token: string): Pending {
    let entry = this.#pending.get(token);
    if (!entry) {
      entry = { calls: 0, lastUsedAt: 0 };
      this.#pending.set(token, entry);
    }
    return entry;
  }
}
