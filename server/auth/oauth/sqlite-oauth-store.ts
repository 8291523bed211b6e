import { DatabaseSync, type StatementSync } from "node:sqlite";
import { retryWhileBusy } from "../../store/sqlite-busy.ts";
import { LIST_LIMIT, type OAuthRecord, type OAuthStore, type RecordFilter } from "./store.ts";

/** How long a write waits while another process writes, milliseconds. */
const BUSY_LIMIT_MS = 2_000;

/** The file's name in SESSIONS_DIR. */
export const OAUTH_FILE = "oauth.db";

/** Two releases have the file open during a switch, and a switch can be rolled back: only ever add tables and columns with defaults. */
const SCHEMA = `
create table if not exists records (
  model text not null, id text not null, payload text not null, expires_at integer, consumed_at integer,
  grant_id text, uid text, person text, client text, primary key (model, id)
) without rowid;
create index if not exists records_grant on records (grant_id) where grant_id is not null;
create index if not exists records_uid on records (model, uid) where uid is not null;
create index if not exists records_person on records (person, model) where person is not null;
create index if not exists records_expires on records (expires_at) where expires_at is not null;
create table if not exists revoked (grant_id text primary key, until integer not null) without rowid;
create table if not exists documents (name text primary key, value text not null) without rowid;
create table if not exists changes (id integer primary key check (id = 1), n integer not null);
insert or ignore into changes values (1, 0);`;

const COLUMNS = "model, id, payload, expires_at, consumed_at, grant_id, uid, person, client";
const INSERT = `insert into records (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const LIVE = "(expires_at is null or expires_at > ?)";

const SQL = {
  put: `${INSERT} on conflict do update set payload = excluded.payload, expires_at = excluded.expires_at,
    grant_id = excluded.grant_id, uid = excluded.uid, person = excluded.person, client = excluded.client`,
  add: `${INSERT} on conflict do nothing`,
  removeExpired: "delete from records where model = ? and id = ? and expires_at <= ?",
  get: `select ${COLUMNS} from records where model = ? and id = ? and ${LIVE}`,
  getByUid: `select ${COLUMNS} from records where model = ? and uid = ? and ${LIVE}`,
  consume: "update records set consumed_at = ? where model = ? and id = ? and consumed_at is null",
  take: `delete from records where model = ? and id = ? and ${LIVE} returning ${COLUMNS}`,
  remove: "delete from records where model = ? and id = ?",
  list: `select ${COLUMNS} from records where model = ?1 and (?2 is null or person = ?2) and (?3 is null or client = ?3)
    and (expires_at is null or expires_at > ?4) limit ${LIST_LIMIT}`,
  count: `select count(*) as n from records where model = ? and ${LIVE}`,
  removeGrant: "delete from records where grant_id = ?1 or (model = 'Grant' and id = ?1)",
  revoke: "insert into revoked values (?, ?) on conflict do update set until = max(until, excluded.until)",
  revoked: "select grant_id from revoked where until > ?",
  document: "select value from documents where name = ?",
  addDocument: "insert into documents values (?, ?) on conflict do nothing",
  setDocument: "update documents set value = ?3 where name = ?1 and value = ?2",
  changed: "update changes set n = n + 1",
  changes: "select n from changes",
  sweep: "delete from records where expires_at <= ?",
  sweepRevoked: "delete from revoked where until <= ?",
} as const;

type Row = Record<string, string | number | null>;

/** In one file, mode 0600, which several processes of one machine may have open. */
export class SqliteOAuthStore implements OAuthStore {
  readonly name: string;
  readonly #db: DatabaseSync;
  readonly #sql: Record<keyof typeof SQL, StatementSync>;
  readonly #now: () => number;

  /** @param file a path, or `:memory:` @throws when the file cannot be opened or is no such database */
  constructor(file: string, now: () => number = Date.now) {
    this.name = file === ":memory:" ? "memory" : `SQLite in ${file}`;
    this.#now = now;
    this.#db = new DatabaseSync(file, { timeout: BUSY_LIMIT_MS });
    // A token that was given out must be known after a power cut: every commit reaches the disk.
    this.#db.exec("pragma journal_mode = wal; pragma synchronous = full");
    this.#db.exec(SCHEMA);
    // SQLite's own wait is right at the start. From now on it would block the event loop (see sqlite-busy.ts).
    this.#db.exec("pragma busy_timeout = 0");
    this.#sql = Object.fromEntries(
      Object.entries(SQL).map(([name, sql]) => [name, this.#db.prepare(sql)]),
    ) as Record<keyof typeof SQL, StatementSync>;
  }

  async put(record: OAuthRecord): Promise<void> {
    await this.#write(() => this.#sql.put.run(...values(record)));
  }

  add(record: OAuthRecord): Promise<boolean> {
    return this.#transaction(() => {
      this.#sql.removeExpired.run(record.model, record.id, this.#now());
      return this.#sql.add.run(...values(record)).changes === 1;
    });
  }

  async get(model: string, id: string): Promise<OAuthRecord | undefined> {
    return recordOf(await this.#write(() => this.#sql.get.get(model, id, this.#now())));
  }

  async getByUid(model: string, uid: string): Promise<OAuthRecord | undefined> {
    return recordOf(await this.#write(() => this.#sql.getByUid.get(model, uid, this.#now())));
  }

  async consume(model: string, id: string, at: number): Promise<boolean> {
    return (await this.#write(() => this.#sql.consume.run(at, model, id))).changes === 1;
  }

  async take(model: string, id: string): Promise<OAuthRecord | undefined> {
    return recordOf(await this.#write(() => this.#sql.take.get(model, id, this.#now())));
  }

  async remove(model: string, id: string): Promise<void> {
    await this.#write(() => this.#sql.remove.run(model, id));
  }

  async list(model: string, { person = null, client = null }: Nullable<RecordFilter> = {}) {
    const rows = await this.#write(() => this.#sql.list.all(model, person, client, this.#now()));
    return rows.flatMap((row) => recordOf(row) ?? []);
  }

  async count(model: string): Promise<number> {
    return Number((await this.#write(() => this.#sql.count.get(model, this.#now())))?.n);
  }

  async revokeGrant(grant: string, until: number): Promise<void> {
    await this.#transaction(() => {
      this.#sql.removeGrant.run(grant);
      this.#sql.revoke.run(grant, until);
      this.#sql.changed.run();
    });
  }

  async revokeToken(id: string, until: number): Promise<void> {
    await this.#transaction(() => {
      this.#sql.revoke.run(id, until);
      this.#sql.changed.run();
    });
  }

  async revoked(): Promise<ReadonlySet<string>> {
    const rows = await this.#write(() => this.#sql.revoked.all(this.#now()));
    return new Set(rows.map((row) => String(row.grant_id)));
  }

  async readDocument(name: string): Promise<string | undefined> {
    const row = await this.#write(() => this.#sql.document.get(name));
    return row === undefined ? undefined : String(row.value);
  }

  writeDocument(name: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#transaction(() => {
      const { changes } =
        expected === undefined
          ? this.#sql.addDocument.run(name, value)
          : this.#sql.setDocument.run(name, expected, value);
      if (changes === 1) this.#sql.changed.run();
      return changes === 1;
    });
  }

  async changes(): Promise<number> {
    return Number(this.#sql.changes.get()?.n);
  }

  async sweep(): Promise<void> {
    await this.#write(() => this.#sql.sweep.run(this.#now()));
    await this.#write(() => this.#sql.sweepRevoked.run(this.#now()));
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }

  #write<T>(work: () => T): Promise<T> {
    return retryWhileBusy(work, BUSY_LIMIT_MS);
  }

  #transaction<T>(work: () => T): Promise<T> {
    return this.#write(() => {
      this.#db.exec("begin immediate");
      try {
        const result = work();
        this.#db.exec("commit");
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("rollback");
        throw error;
      }
    });
  }
}

type Nullable<T> = { [K in keyof T]?: T[K] | null };

function values(record: OAuthRecord): (string | number | null)[] {
  const { model, id, payload, expiresAt, consumedAt, grant, uid, person, client } = record;
  const optional = [expiresAt, consumedAt, grant, uid, person, client].map((value) => value ?? null);
  return [model, id, JSON.stringify(payload), ...optional];
}

function recordOf(row: unknown): OAuthRecord | undefined {
  if (row === undefined) return undefined;
  const { model, id, payload, expires_at, consumed_at, grant_id, uid, person, client } = row as Row;
  return {
    model: String(model),
    id: String(id),
    payload: JSON.parse(String(payload)),
    ...(expires_at == null ? {} : { expiresAt: Number(expires_at) }),
    ...(consumed_at == null ? {} : { consumedAt: Number(consumed_at) }),
    ...(grant_id == null ? {} : { grant: String(grant_id) }),
    ...(uid == null ? {} : { uid: String(uid) }),
    ...(person == null ? {} : { person: String(person) }),
    ...(client == null ? {} : { client: String(client) }),
  };
}
