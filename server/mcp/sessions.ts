import type { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";

/** A 2025-era session: the connected server and transport of one client. */
export interface Session {
  readonly id: string;
  /** Who opened it; nobody else may use it, for a session id proves nothing. */
  readonly principal: string;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: McpServer;
}

/** Where sessions are kept. In memory for now; one that survives a restart implements the same. */
export interface SessionStore {
  readonly size: number;
  /** @returns false when the store is full of sessions in use */
  put(session: Session): Promise<boolean>;
  get(id: string): Promise<Session | undefined>;
  delete(id: string): Promise<void>;
  /** Marks a session as in use until the returned function is called: it is not evicted meanwhile. */
  hold(id: string): () => void;
  close(): Promise<void>;
}

export interface MemorySessionsOptions {
  /** Evicted after so long without a request or an open stream, milliseconds. Default 30 minutes. */
  idleMs?: number;
  /** Default 10,000; each costs some 54 KB. */
  max?: number;
  now?: () => number;
}

interface Entry {
  session: Session;
  usedAt: number;
  holds: number;
}

export class MemorySessions implements SessionStore {
  /** In the order of their last use: the first is the least recently used. */
  readonly #entries = new Map<string, Entry>();
  readonly #idleMs: number;
  readonly #max: number;
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: MemorySessionsOptions = {}) {
    this.#idleMs = options.idleMs ?? 30 * 60_000;
    this.#max = options.max ?? 10_000;
    this.#now = options.now ?? Date.now;
    this.#sweeper = setInterval(() => this.sweep(), Math.min(60_000, this.#idleMs)).unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  async put(session: Session): Promise<boolean> {
    if (this.#entries.size >= this.#max) {
      const oldest = [...this.#entries.values()].find((e) => e.holds === 0);
      if (!oldest) return false;
      this.#evict(oldest);
    }
    this.#entries.set(session.id, { session, usedAt: this.#now(), holds: 0 });
    return true;
  }

  async get(id: string): Promise<Session | undefined> {
    const entry = this.#entries.get(id);
    if (entry) this.#touch(entry);
    return entry?.session;
  }

  async delete(id: string): Promise<void> {
    this.#entries.delete(id);
  }

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

  /** Evicts what has been idle for too long. */
  sweep(): void {
    const before = this.#now() - this.#idleMs;
    for (const entry of [...this.#entries.values()]) {
      if (entry.usedAt > before) break;
      if (entry.holds === 0) this.#evict(entry);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const all = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(all.map((e) => e.session.server.close()));
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
