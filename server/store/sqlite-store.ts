import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { whenFree } from "./busy.ts";
import { checkpoint } from "./checkpoint.ts";
import { changedFacts, type FactsChange } from "./facts.ts";
import { ADDED_COLUMNS, SCHEMA, SQL } from "./sqlite-schema.ts";
import {
  type Batch,
  type CallRecord,
  LAST_N,
  LIMITS,
  type RequestId,
  type SessionRecord,
  STANDALONE,
  type Store,
  type StoredEvent,
  type StreamClaim,
} from "./store.ts";

/** How often another process's messages are looked for, milliseconds. `data_version` costs microseconds; nothing else is read without a change. */
const POLL_MS = 50;
/** How long a write is tried again while another process writes (see busy.ts). */
const BUSY_LIMIT_MS = 5_000;
/** The write-ahead log is moved into the file at each sweep, in a thread; only one that grows beyond this is moved at once. Pages of 4 KiB. */
const LARGE_LOG_PAGES = 8_192;
/** Rows that one statement of a sweep deletes: the event loop and the other process have their turn in between. */
const SLICE = 500;
/** Events after which a session's store is trimmed to the limits. */
const TRIM_AFTER = 100;

type Statements = { [K in keyof typeof SQL]: StatementSync };

/**
 * The store of one machine: a file that both units of a release switch have open at the same time (WAL: readers and one writer do not
 * wait for each other), or memory (":memory:").
 *
 * Processes exchange messages through a small table of the same file, asked by `PRAGMA data_version`: no second channel that has to be
 * found, permitted and cleaned up after a kill -9, and a message is there exactly when what it speaks of is.
 */
export class SqliteStore implements Store {
  readonly name: string;
  /** Undefined for one in memory. */
  readonly #file: string | undefined;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #now: () => number;
  readonly #appended = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #deliver: (() => void) | undefined;
  #version = -1;
  /** The last write, over or not. */
  #last: Promise<unknown> = Promise.resolve();
  #checkpoint: Promise<void> | undefined;

  /** @param file absolute path, or ":memory:" @throws when it cannot be opened or is no SQLite database */
  constructor(file: string, now: () => number = () => Date.now()) {
    this.name = file === ":memory:" ? "SQLite in memory" : `SQLite ${file}`;
    this.#file = file === ":memory:" ? undefined : file;
    this.#now = now;
    this.#db = new DatabaseSync(file, { timeout: BUSY_LIMIT_MS });
    try {
      // NORMAL: a crash of the machine may lose the last moments, never the file; a crash of the process loses nothing.
      this.#db.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;
        PRAGMA wal_autocheckpoint = ${LARGE_LOG_PAGES}`,
      );
      this.#db.exec(SCHEMA);
      this.#addColumns();
      const prepare = ([name, text]: [string, string]) => [name, this.#db.prepare(text)];
      this.#sql = Object.fromEntries(Object.entries(SQL).map(prepare)) as Statements;
      // At the start waiting is right; from now on see busy.ts.
      this.#db.exec("PRAGMA busy_timeout = 0");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  create({ id, principal, params, facts }: SessionRecord, keep = 0): Promise<void> {
    return this.#write(() => {
      this.#sql.create.run(id, principal, JSON.stringify(params), JSON.stringify(facts), this.#now());
      if (keep > 0) this.#removeAll(ids(this.#sql.surplus.all(principal, keep)));
    });
  }

  async read(id: string): Promise<SessionRecord | undefined> {
    const row = this.#sql.read.get(id, this.#now() - LIMITS.sessionTtlMs);
    if (!row) return undefined;
    const { principal, params, facts } = row as { principal: string; params: string; facts: string };
    return { id, principal, params: JSON.parse(params), facts: JSON.parse(facts) };
  }

  changeFacts(id: string, change: FactsChange): Promise<void> {
    return this.#write(() => {
      const row = this.#sql.facts.get(id) as { facts: string } | undefined;
      if (row) this.#sql.setFacts.run(JSON.stringify(changedFacts(JSON.parse(row.facts), change)), id);
    });
  }

  claimStream(id: string): Promise<StreamClaim | undefined> {
    return this.#write(() => {
      const row = this.#sql.claim.get(id, STANDALONE) as StreamClaim | undefined;
      return row && { claim: row.claim, last: row.last };
    });
  }

  async lastClaim(id: string): Promise<number | undefined> {
    return (this.#sql.lastClaim.get(id) as { claim: number } | undefined)?.claim;
  }

  touch(sessions: readonly Pick<SessionRecord, "id">[]): Promise<void> {
    const now = this.#now();
    return this.#write(() => {
      for (const { id } of sessions) this.#sql.touch.run(now, id);
    });
  }

  remove(id: string): Promise<void> {
    return this.#write(() => this.#removeAll([id]));
  }

  write({ started, events, ended }: Batch): Promise<void> {
    const now = this.#now();
    return this.#write(() => {
      for (const c of started)
        this.#sql.start.run(c.stream, c.session, c.instance, JSON.stringify(c.requests));
      for (const { session, stream, n, message } of events) {
        if (n === undefined) {
          const added = this.#sql.appendNext.get(session, stream, now, message) as { n: number };
          this.#sql.noteLast.run(added.n, session);
        } else this.#sql.append.run(session, stream, n, message, now);
        this.#trim(session);
      }
      for (const c of ended) this.#sql.end.run(c.stream, c.instance);
    });
  }

  async call(session: string, stream: string): Promise<CallRecord | undefined> {
    const row = this.#sql.call.get(stream, session) as { instance: string; requests: string } | undefined;
    return row && { session, stream, instance: row.instance, requests: JSON.parse(row.requests) };
  }

  async events(session: string, stream: string, after: number, limit = -1): Promise<StoredEvent[]> {
    return this.#sql.events.all(session, stream, after, limit) as unknown as StoredEvent[];
  }

  async beat(instance: string, slot: string) {
    await this.#write(() => void this.#sql.beat.run(instance, slot));
    return this.instances();
  }

  async instances() {
    const rows = this.#sql.instances.all() as { id: string; slot: string; count: number }[];
    return new Map(rows.map(({ id, slot, count }) => [id, { slot, count }]));
  }

  bury(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]> {
    const now = this.#now();
    return this.#write(() => {
      const rows = this.#sql.callsOf.all(instance) as { stream: string; session: string; requests: string }[];
      const calls = rows.map((row) => ({
        ...row,
        instance,
        requests: JSON.parse(row.requests) as RequestId[],
      }));
      for (const { session, stream, requests } of calls)
        for (const [i, request] of requests.entries())
          this.#sql.append.run(session, stream, LAST_N - requests.length + 1 + i, message(request), now);
      this.#sql.endAll.run(instance);
      this.#sql.forget.run(instance);
      return calls;
    });
  }

  post(from: string, to: string, text: string): Promise<void> {
    return this.#write(() => void this.#sql.post.run(from, to, text, this.#now()));
  }

  async receive(instance: string, listener: (text: string) => void): Promise<void> {
    let last = (this.#sql.lastMessage.get() as { id: number }).id;
    this.#deliver = () => {
      const rows = this.#sql.messages.all(last) as {
        id: number;
        sender: string;
        target: string;
        body: string;
      }[];
      for (const { id, sender, target, body } of rows) {
        last = id;
        if (sender !== instance && (target === instance || target === "*")) listener(body);
      }
    };
    if (this.name !== "SQLite in memory") this.#timer = setInterval(() => this.poll(), POLL_MS).unref();
  }

  poll(): void {
    if (!this.#deliver || !this.#db.isOpen) return;
    // Changes whenever another connection committed; our own commits do not count.
    try {
      const { data_version: version } = this.#sql.version.get() as { data_version: number };
      if (version === this.#version) return;
      this.#deliver();
      this.#version = version;
    } catch {
      // Not readable just now: looked at again at the next poll. A lasting fault is found by the next command.
    }
  }

  async sweep(maxSessions: number = LIMITS.maxSessions): Promise<void> {
    const now = this.#now();
    await this.#inSlices(() => {
      const expired = ids(this.#sql.expired.all(now - LIMITS.sessionTtlMs, SLICE));
      this.#removeAll(expired);
      return expired.length;
    });
    await this.#inSlices(() => Number(this.#sql.sweepEvents.run(now - LIMITS.eventTtlMs, SLICE).changes));
    await this.#inSlices(() => Number(this.#sql.sweepMessages.run(now - LIMITS.messageTtlMs, SLICE).changes));
    const { sessions } = this.#sql.count.get() as { sessions: number };
    const excess = sessions > maxSessions ? ids(this.#sql.excess.all(sessions - maxSessions)) : [];
    await this.#inSlices(() => {
      const slice = excess.splice(0, SLICE);
      this.#removeAll(slice);
      return slice.length;
    });
    this.#appended.clear();
    if (this.#file === undefined || !this.#db.isOpen) return;
    this.#checkpoint ??= checkpoint(this.#file)
      .catch(() => undefined)
      .finally(() => {
        this.#checkpoint = undefined;
      });
    await this.#checkpoint;
  }

  async check(): Promise<string> {
    const { sessions } = this.#sql.count.get() as { sessions: number };
    return `${sessions} sessions in ${this.name}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#deliver = undefined;
    await this.#last;
    // Nobody has the file open when this is over.
    await this.#checkpoint;
    if (this.#db.isOpen) this.#db.close();
  }

  #addColumns(): void {
    this.#transaction(() => {
      const columns = this.#db.prepare("SELECT name FROM pragma_table_info('sessions')").all();
      const known = new Set(columns.map(({ name }) => name));
      for (const name of ADDED_COLUMNS)
        if (!known.has(name))
          this.#db.exec(`ALTER TABLE sessions ADD COLUMN ${name} INTEGER NOT NULL DEFAULT 0`);
    });
  }

  #trim(session: string): void {
    const count = (this.#appended.get(session) ?? 0) + 1;
    this.#appended.set(session, count % TRIM_AFTER);
    if (count >= TRIM_AFTER) this.#sql.trim.run(session, LIMITS.maxEvents, LIMITS.maxEventChars);
  }

  #removeAll(sessions: readonly string[]): void {
    for (const id of sessions) {
      this.#sql.remove.run(id);
      this.#sql.removeEvents.run(id);
      this.#sql.removeCalls.run(id);
      this.#appended.delete(id);
    }
  }

  /** @param slice deletes some rows and says how many; it is called until these are fewer than SLICE */
  async #inSlices(slice: () => number): Promise<void> {
    while ((await this.#write(slice)) >= SLICE) await turn();
  }

  /** Runs a transaction when those before it are over, so that a write which has to wait is not overtaken by a later one. */
  #write<T>(work: () => T): Promise<T> {
    const done = this.#last.then(() => whenFree(() => this.#transaction(work), BUSY_LIMIT_MS));
    this.#last = done.catch(() => undefined);
    return done;
  }

  #transaction<T>(work: () => T): T {
    // IMMEDIATE: a transaction that began as a reader cannot wait for the other process's write.
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

function ids(rows: readonly unknown[]): string[] {
  return rows.map((row) => (row as { id: string }).id);
}
