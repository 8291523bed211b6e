import type { McpServer } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
import { Refusal } from "../http/errors.ts";
import { hasOwnLimits } from "../shares/caller.ts";
import { LimitReached } from "../shares/limit-reached.ts";
import type { FactsChange } from "../store/facts.ts";
import type { SessionFacts } from "../store/store.ts";
import type { SessionTransport } from "./session-transport.ts";

/** A 2025-era session that this process has in memory: the connected server and transport of one client. */
export interface Session {
  readonly id: string;
  /** Who opened it; nobody else may use it, for a session id proves nothing. */
  readonly principal: Principal;
  readonly transport: SessionTransport;
  readonly server: McpServer;
  facts: SessionFacts;
  /** Changes of the facts that the store has not confirmed yet. */
  readonly unconfirmed: Set<FactsChange>;
  /** Ends the notification stream that is open here, if one is. */
  endStanding: (() => void) | undefined;
  /** The claim of that stream; undefined while it is not known. */
  claim: number | undefined;
  /** The highest claim of a stream that another instance opened for this session. */
  rival: number;
  /** Its facts are being read again, since another instance changed them. */
  refreshing: Promise<void> | undefined;
  /** Why there was no room for it when it was opened. */
  refusal: Error | undefined;
}

export interface LiveSessionsOptions {
  /** Evicted after so long without a request or an open stream, milliseconds. Default 5 minutes; the store still knows it. */
  idleMs?: number;
  /** Default 3,000: some 160 MB at 54 KB each, beside the index and the rest in the 1 GB of the unit (MemoryMax). */
  max?: number;
  /** Of one principal; 0: no limit. Default 0. */
  maxPerPrincipal?: number;
  now?: () => number;
  /** Whether a session has calls at work though nobody listens. */
  busy?: (id: string) => boolean;
}

interface Entry {
  session: Session;
  since: number;
  usedAt: number;
  holds: number;
}

/**
 * The sessions in memory, least recently used first. Dropping one loses nothing: the store has what is needed to make it again. Who needs
 * room makes it himself as far as he has idle sessions of his own to drop; else whoever has most gives way.
 */
export class LiveSessions {
  readonly #entries = new Map<string, Entry>();
  readonly #idleMs: number;
  /** How many each principal has. */
  readonly #counts = new Map<string, number>();
  readonly #max: number;
  readonly #maxPerPrincipal: number;
  readonly #now: () => number;
  readonly #busy: (id: string) => boolean;

  constructor(options: LiveSessionsOptions = {}) {
    this.#idleMs = options.idleMs ?? 5 * 60_000;
    this.#max = options.max ?? 3_000;
    this.#maxPerPrincipal = options.maxPerPrincipal ?? 0;
    this.#now = options.now ?? Date.now;
    this.#busy = options.busy ?? (() => false);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How long the one that is longest in memory has been there, milliseconds. */
  get oldestMs(): number | undefined {
    let since: number | undefined;
    for (const entry of this.#entries.values()) since = Math.min(since ?? entry.since, entry.since);
    return since === undefined ? undefined : this.#now() - since;
  }

  values(): Session[] {
    return [...this.#entries.values()].map((e) => e.session);
  }

  /**
   * @throws LimitReached when the principal has as many sessions in use as it may
   * @throws Refusal 503 when the memory is full of sessions in use
   */
  put(session: Session): void {
    this.#makeRoom(session.principal.id);
    const now = this.#now();
    this.delete(session.id);
    this.#entries.set(session.id, { session, since: now, usedAt: now, holds: 0 });
    this.#count(session, 1);
  }

  #makeRoom(principal: string): void {
    const own = this.#counts.get(principal) ?? 0;
    const limited = this.#maxPerPrincipal > 0 && hasOwnLimits(principal);
    if (limited && own >= this.#maxPerPrincipal && !this.#evictIdle(principal))
      throw new LimitReached(
        `Too many sessions: this token has ${own} in use, the most it may have. End some by DELETE, or ask the operator to raise LIVE_SESSIONS_PER_TOKEN.`,
      );
    if (this.#entries.size < this.#max) return;
    const most = [...this.#counts].sort(([, a], [, b]) => b - a).map(([id]) => id);
    if (most.some((id) => this.#evictIdle(id))) return;
    throw new Refusal(503, `All ${this.#max} sessions that fit into memory are in use; try again soon`, 10);
  }

  /** Evicts the principal's least recently used session that is idle. @returns false when none is */
  #evictIdle(principal: string): boolean {
    for (const entry of this.#entries.values())
      if (entry.session.principal.id === principal && this.#idle(entry)) {
        this.#evict(entry);
        return true;
      }
    return false;
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

  /** Takes a session out without closing it. */
  delete(id: string): Session | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    this.#entries.delete(id);
    this.#count(entry.session, -1);
    return entry.session;
  }

  /** Marks a session as in use until the returned function is called: it is not evicted meanwhile. */
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

  /** Evicts what has been idle for too long. @returns the sessions that were used since `since` */
  sweep(since = Number.POSITIVE_INFINITY): Session[] {
    const before = this.#now() - this.#idleMs;
    const used = [...this.#entries.values()].filter((e) => e.usedAt >= since || e.holds > 0);
    for (const entry of [...this.#entries.values()]) {
      if (entry.usedAt > before) break;
      if (this.#idle(entry)) this.#evict(entry);
    }
    return used.map((e) => e.session);
  }

  async close(): Promise<void> {
    const all = this.values();
    this.#entries.clear();
    this.#counts.clear();
    await Promise.allSettled(all.map((s) => s.server.close()));
  }

  #idle(entry: Entry): boolean {
    return entry.holds === 0 && !this.#busy(entry.session.id);
  }

  #touch(entry: Entry): void {
    entry.usedAt = this.#now();
    this.#entries.delete(entry.session.id);
    this.#entries.set(entry.session.id, entry);
  }

  #evict(entry: Entry): void {
    this.delete(entry.session.id);
    entry.session.server.close().catch(() => undefined);
  }
}
