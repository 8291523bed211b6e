import { applyChange, type SessionState, type StateChange } from "./session-state.ts";
import { SLICE, SqliteDatabase, type Statements } from "./sqlite-database.ts";
import { SqliteMessages } from "./sqlite-messages.ts";
import {
  type Batch,
  type CallRecord,
  type InstanceBeat,
  LAST_N,
  LIMITS,
  type RequestId,
  type SessionRecord,
  STANDALONE,
  type Store,
  type StoredEvent,
  type StreamClaim,
} from "./store.ts";

/** Number of new events after which a session's events are trimmed to the limits. */
const TRIM_AFTER = 100;

/**
 * The store of one machine: a file that both units of a release switch have open at the same time (WAL: readers and one writer do not
 * wait for each other), or memory (":memory:").
 */
export class SqliteStore implements Store {
  readonly name: string;
  readonly #database: SqliteDatabase;
  readonly #sql: Statements;
  readonly #messages: SqliteMessages;
  readonly #now: () => number;
  /** New events of each session since it was last trimmed. */
  readonly #appended = new Map<string, number>();

  /**
   * @param file absolute path, or ":memory:"
   * @throws when it cannot be opened or is not a SQLite database
   */
  constructor(file: string, now: () => number = () => Date.now()) {
    this.name = file === ":memory:" ? "SQLite in memory" : `SQLite ${file}`;
    this.#now = now;
    this.#database = new SqliteDatabase(file);
    this.#sql = this.#database.sql;
    this.#messages = new SqliteMessages(this.#database);
  }

  create({ id, principal, params, state }: SessionRecord, keep = 0): Promise<void> {
    return this.#database.write(() => {
      this.#sql.create.run(id, principal, JSON.stringify(params), JSON.stringify(state), this.#now());
      if (keep > 0) this.#removeAll(ids(this.#sql.surplus.all(principal, keep)));
    });
  }

  async read(id: string): Promise<SessionRecord | undefined> {
    const row = this.#sql.read.get(id, this.#now() - LIMITS.sessionTtlMs);
    if (!row) return undefined;
    const { principal, params, facts } = row as { principal: string; params: string; facts: string };
    return { id, principal, params: JSON.parse(params), state: JSON.parse(facts) };
  }

  changeState(id: string, change: StateChange): Promise<void> {
    return this.#database.write(() => {
      const state = this.#state(id);
      if (state) this.#sql.setState.run(JSON.stringify(applyChange(state, change)), id);
    });
  }

  async states(sessions: readonly string[]): Promise<Map<string, SessionState | undefined>> {
    // The file does not lose sessions: one that is missing was removed.
    return new Map(sessions.map((id) => [id, this.#state(id)]));
  }

  claimStream(id: string): Promise<StreamClaim | undefined> {
    return this.#database.write(() => {
      const row = this.#sql.claim.get(id, STANDALONE) as StreamClaim | undefined;
      return row && { claim: row.claim, last: row.last };
    });
  }

  async lastClaim(id: string): Promise<number | undefined> {
    return (this.#sql.lastClaim.get(id) as { claim: number } | undefined)?.claim;
  }

  touch(sessions: readonly Pick<SessionRecord, "id">[]): Promise<void> {
    const now = this.#now();
    return this.#database.write(() => {
      for (const { id } of sessions) this.#sql.touch.run(now, id);
    });
  }

  remove(id: string): Promise<void> {
    return this.#database.write(() => this.#removeAll([id]));
  }

  write({ started, events, ended }: Batch): Promise<void> {
    const now = this.#now();
    return this.#database.write(() => {
      for (const c of started)
        this.#sql.start.run(c.stream, c.session, c.instance, JSON.stringify(c.requests));
      for (const { session, stream, n, message } of events) {
        if (n === undefined) {
          const added = this.#sql.appendNext.get(session, stream, now, message) as { n: number };
          this.#sql.setLast.run(added.n, session);
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

  async beat(instance: string, slot: string): Promise<Map<string, InstanceBeat>> {
    await this.#database.write(() => void this.#sql.beat.run(instance, slot));
    return this.instances();
  }

  async instances(): Promise<Map<string, InstanceBeat>> {
    const rows = this.#sql.instances.all() as { id: string; slot: string; count: number }[];
    return new Map(rows.map(({ id, slot, count }) => [id, { slot, count }]));
  }

  reap(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]> {
    const now = this.#now();
    return this.#database.write(() => {
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
      this.#sql.removeInstance.run(instance);
      return calls;
    });
  }

  send(from: string, to: string, text: string): Promise<void> {
    return this.#messages.send(from, to, text, this.#now());
  }

  async receive(instance: string, listener: (text: string) => void): Promise<void> {
    this.#messages.receive(instance, listener);
  }

  poll(): void {
    this.#messages.poll();
  }

  async sweep(maxSessions: number = LIMITS.maxSessions): Promise<void> {
    const now = this.#now();
    const [database, sql] = [this.#database, this.#sql];
    await database.writeInSlices(() => {
      const expired = ids(sql.expired.all(now - LIMITS.sessionTtlMs, SLICE));
      this.#removeAll(expired);
      return expired.length;
    });
    await database.writeInSlices(() => Number(sql.sweepEvents.run(now - LIMITS.eventTtlMs, SLICE).changes));
    await database.writeInSlices(() =>
      Number(sql.sweepMessages.run(now - LIMITS.messageTtlMs, SLICE).changes),
    );
    const { sessions } = sql.count.get() as { sessions: number };
    const excess = sessions > maxSessions ? ids(sql.excess.all(sessions - maxSessions)) : [];
    await database.writeInSlices(() => {
      const slice = excess.splice(0, SLICE);
      this.#removeAll(slice);
      return slice.length;
    });
    this.#appended.clear();
    await database.checkpoint();
  }

  async check(): Promise<string> {
    const { sessions } = this.#sql.count.get() as { sessions: number };
    return `${sessions} sessions in ${this.name}`;
  }

  async close(): Promise<void> {
    await this.#messages.close();
    await this.#database.close();
  }

  #state(id: string): SessionState | undefined {
    const row = this.#sql.state.get(id) as { facts: string } | undefined;
    return row && JSON.parse(row.facts);
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
}

function ids(rows: readonly unknown[]): string[] {
  return rows.map((row) => (row as { id: string }).id);
}
