import { Refusal } from "../http/errors.ts";
import { hasOwnLimits } from "../shares/caller.ts";
import { LimitReached } from "../shares/limit-reached.ts";
import type { Session } from "./session.ts";

export interface LiveSessionsOptions {
  /** Time without a request or an open stream after which a session is evicted, milliseconds. Default 5 minutes. The store keeps it. */
  idleMs?: number;
  /** Maximum number of sessions. Default 10,000: about 30 MB at 3 KB each. */
  max?: number;
  /** Maximum number of sessions that have a server of the SDK, 45 KB each; for others it is made again. Default 500. */
  maxServers?: number;
  /** Maximum number of one principal; 0 for no limit. Default 0. */
  maxPerPrincipal?: number;
  now?: () => number;
  /** Whether a session must stay in memory, for example because its calls are in progress. */
  busy?: (id: string) => boolean;
  /** Called when a session leaves memory, with the time that it was there, milliseconds. */
  onLeft?: (ms: number) => void;
}

interface Entry {
  session: Session;
  since: number;
  usedAt: number;
  /** Later uses have higher numbers. */
  turn: number;
  holds: number;
}

/**
 * The sessions in memory. Evicting one loses nothing: the store has what is needed to restore it. A principal
 * at its limit evicts its own idle sessions. When the memory is full, the principal with the most sessions loses an idle one.
 */
export class LiveSessions {
  readonly #entries = new Map<string, Entry>();
  /** Number of sessions of each principal. */
  readonly #counts = new Map<string, number>();
  #turns = 0;
  readonly #options: Required<Omit<LiveSessionsOptions, "onLeft" | "maxServers">> &
    Pick<LiveSessionsOptions, "onLeft">;

  constructor(options: LiveSessionsOptions = {}) {
    const defaults = {
      idleMs: 5 * 60_000,
      max: 10_000,
      maxPerPrincipal: 0,
      now: Date.now,
      busy: () => false,
    };
    this.#options = { ...defaults, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Age of the session that has been in memory longest, milliseconds; undefined without sessions. */
  get oldestMs(): number | undefined {
    let since: number | undefined;
    for (const entry of this.#entries.values()) since = Math.min(since ?? entry.since, entry.since);
    return since === undefined ? undefined : this.#options.now() - since;
  }

  values(): Session[] {
    // Of thousands, a copy that grows would leave several more of half its length.
    const all = new Array<Session>(this.#entries.size);
    let i = 0;
    for (const { session } of this.#entries.values()) all[i++] = session;
    return all;
  }

  /**
   * @throws LimitReached when the principal has the maximum number of sessions, all in use
   * @throws Refusal 503 when the maximum number of sessions is in memory, all in use
   */
  put(session: Session): void {
    this.#makeRoom(session.principal.id);
    const now = this.#options.now();
    this.delete(session.id);
    this.#entries.set(session.id, { session, since: now, usedAt: now, turn: ++this.#turns, holds: 0 });
    this.#count(session, 1);
  }

  #makeRoom(principal: string): void {
    const { max, maxPerPrincipal } = this.#options;
    const own = this.#counts.get(principal) ?? 0;
    const limited = maxPerPrincipal > 0 && hasOwnLimits(principal);
    if (limited && own >= maxPerPrincipal && !this.#evictIdle(principal))
      throw new LimitReached(
        `Too many sessions: this token has ${own} in use, which is its maximum. End some with DELETE, or ask the operator to raise LIVE_SESSIONS_PER_TOKEN.`,
      );
    if (this.#entries.size < max) return;
    const byCount = [...this.#counts].sort(([, a], [, b]) => b - a).map(([id]) => id);
    if (byCount.some((id) => this.#evictIdle(id))) return;
    throw new Refusal(503, `All ${max} sessions that fit into memory are in use; try again soon`, 10);
  }

  /** Evicts the principal's least recently used idle session. @returns false if it has none */
  #evictIdle(principal: string): boolean {
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values())
      if (
        entry.session.principal.id === principal &&
        entry.turn < (oldest?.turn ?? Number.POSITIVE_INFINITY) &&
        this.#idle(entry)
      )
        oldest = entry;
    if (oldest) this.#evict(oldest);
    return oldest !== undefined;
  }

  #count({ principal: { id } }: Session, by: 1 | -1): void {
    const count = (this.#counts.get(id) ?? 0) + by;
    if (count > 0) this.#counts.set(id, count);
    else this.#counts.delete(id);
  }

  get(id: string): Session | undefined {
    const entry = this.#entries.get(id);
    if (entry) this.#touch(entry);
    return entry?.session;
  }

  /** The session, without counting as a use. */
  peek(id: string): Session | undefined {
    return this.#entries.get(id)?.session;
  }

  /** Removes a session without closing it. */
  delete(id: string): Session | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    this.#entries.delete(id);
    this.#count(entry.session, -1);
    this.#options.onLeft?.(this.#options.now() - entry.since);
    return entry.session;
  }

  /** Protects a session from eviction until the returned function is called. */
  hold(id: string): () => void {
    const entry = this.#entries.get(id);
    if (!entry) return () => undefined;
    entry.holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      entry.holds--;
      if (this.#entries.get(id) === entry) this.#touch(entry);
    };
  }

  /** Evicts sessions that were idle for too long. @returns the sessions that were used since `since` */
  sweep(since = Number.POSITIVE_INFINITY): Session[] {
    const before = this.#options.now() - this.#options.idleMs;
    const all = [...this.#entries.values()];
    const used = all.filter((e) => e.usedAt >= since || e.holds > 0);
    for (const entry of all) if (entry.usedAt <= before && this.#idle(entry)) this.#evict(entry);
    return used.map((e) => e.session);
  }

  async close(): Promise<void> {
    const all = this.values();
    for (const { id } of all) this.delete(id);
    await Promise.allSettled(all.map((s) => s.server.close()));
  }

  #idle(entry: Entry): boolean {
    return entry.holds === 0 && !this.#options.busy(entry.session.id);
  }

  /** Each request does this. It leaves the Map as it is (see WeightedCache). */
  #touch(entry: Entry): void {
    entry.usedAt = this.#options.now();
    entry.turn = ++this.#turns;
  }

  #evict(entry: Entry): void {
    this.delete(entry.session.id);
    entry.session.server.close().catch(() => undefined);
  }
}
