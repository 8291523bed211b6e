import type { McpServer } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/principal.ts";
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
}

export interface LiveSessionsOptions {
  /** Evicted after so long without a request or an open stream, milliseconds. Default 5 minutes; the store still knows it. */
  idleMs?: number;
  /** Default 10,000; each costs some 54 KB. */
  max?: number;
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

/** The sessions in memory, least recently used first. Dropping one loses nothing: the store has what is needed to make it again. */
export class LiveSessions {
  readonly #entries = new Map<string, Entry>();
  readonly #idleMs: number;
  readonly #max: number;
  readonly #now: () => number;
  readonly #busy: (id: string) => boolean;

  constructor(options: LiveSessionsOptions = {}) {
    this.#idleMs = options.idleMs ?? 5 * 60_000;
    this.#max = options.max ?? 10_000;
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

  /** @returns false when the memory is full of sessions in use */
  put(session: Session): boolean {
    if (this.#entries.size >= this.#max) {
      const oldest = [...this.#entries.values()].find((e) => this.#idle(e));
      if (!oldest) return false;
      this.#evict(oldest);
    }
    const now = this.#now();
    this.#entries.set(session.id, { session, since: now, usedAt: now, holds: 0 });
    return true;
  }

  get(id: string): Session | undefined {
    const entry = this.#entries.get(id);
    if (entry) this.#touch(entry);
    return entry?.session;
  }

  /** Takes a session out without closing it. */
  delete(id: string): Session | undefined {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    return entry?.session;
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

  /** Evicts what has been idle for too long. @returns the ids that were used since `since` */
  sweep(since = Number.POSITIVE_INFINITY): string[] {
    const before = this.#now() - this.#idleMs;
    const used = [...this.#entries.values()].filter((e) => e.usedAt >= since || e.holds > 0);
    for (const entry of [...this.#entries.values()]) {
      if (entry.usedAt > before) break;
      if (this.#idle(entry)) this.#evict(entry);
    }
    return used.map((e) => e.session.id);
  }

  async close(): Promise<void> {
    const all = this.values();
    this.#entries.clear();
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
    this.#entries.delete(entry.session.id);
    entry.session.server.close().catch(() => undefined);
  }
}
