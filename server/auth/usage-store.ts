import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { retryWhileBusy } from "../store/sqlite-busy.ts";

/** What happened with one token since the last report. */
export interface UsageDelta {
  readonly token: string;
  readonly calls: number;
  /** Milliseconds since 1970. */
  readonly lastUsedAt: number;
}

/** Counts of calls by day and token, and each token's last use. One machine: SQLite; many: valkey-usage.ts. */
export interface UsageStore {
  /**
   * Adds what happened on `day` (UTC, `2026-07-28`).
   *
   * @returns the day's calls of every token after that, those counted by other processes among them
   */
  add(day: string, deltas: readonly UsageDelta[]): Promise<Map<string, number>>;
  close(): Promise<void>;
}

/** Nothing is kept beyond the process: development, or a folder that cannot be written. */
export class MemoryUsage implements UsageStore {
  #day = "";
  #calls = new Map<string, number>();

  async add(day: string, deltas: readonly UsageDelta[]): Promise<Map<string, number>> {
    if (day !== this.#day) this.#calls = new Map();
    this.#day = day;
    for (const { token, calls } of deltas) this.#calls.set(token, (this.#calls.get(token) ?? 0) + calls);
    return new Map(this.#calls);
  }

  async close(): Promise<void> {}
}

/** How long a report is tried again while another process writes; after that it is made with the next one, milliseconds. */
const BUSY_LIMIT_MS = 250;

/** The file's name in SESSIONS_DIR. */
export const USAGE_FILE = "usage.sqlite";

const SCHEMA = `
create table if not exists usage (day text not null, token text not null, calls integer not null, primary key (day, token)) without rowid;
create table if not exists last_use (token text primary key, at integer not null) without rowid;`;

/** How many days of usage are kept, for a look back. */
export const KEPT_DAYS = 40;

/**
 * In one SQLite file, which the two servers of a release switch may both have open. Rollback journal instead of WAL: there is one small
 * write a minute, and a reader that is root leaves no files of its own beside it.
 */
export class SqliteUsage implements UsageStore {
  readonly #db: DatabaseSync;

  /** @throws when the file cannot be made or opened */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: BUSY_LIMIT_MS });
    this.#db.exec(SCHEMA);
    // SQLite's own wait is right at the start. From now on it would block the event loop (see sqlite-busy.ts).
    this.#db.exec("pragma busy_timeout = 0");
  }

  add(day: string, deltas: readonly UsageDelta[]): Promise<Map<string, number>> {
    return retryWhileBusy(() => this.#add(day, deltas), BUSY_LIMIT_MS);
  }

  #add(day: string, deltas: readonly UsageDelta[]): Map<string, number> {
    const db = this.#db;
    if (deltas.length > 0) {
      db.exec("begin immediate");
      try {
        const calls = db.prepare(
          "insert into usage values (?, ?, ?) on conflict do update set calls = calls + excluded.calls",
        );
        const use = db.prepare(
          "insert into last_use values (?, ?) on conflict do update set at = max(at, excluded.at)",
        );
        for (const delta of deltas) {
          calls.run(day, delta.token, delta.calls);
          use.run(delta.token, delta.lastUsedAt);
        }
        db.prepare("delete from usage where day < date(?, ?)").run(day, `-${KEPT_DAYS} days`);
        db.exec("commit");
      } catch (error) {
        if (db.isTransaction) db.exec("rollback");
        throw error;
      }
    }
    const rows = db.prepare("select token, calls from usage where day = ?").all(day);
    return new Map(rows.map((row) => [String(row.token), Number(row.calls)]));
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }
}

export interface TokenUse {
  /** Milliseconds since 1970; at most a minute behind while the server runs. */
  lastUsedAt: number;
  callsToday: number;
}

/**
 * Reads what a server keeps, for `token list`; nothing when there is no file.
 *
 * @throws when the file is there and is no such database
 */
export function readUsage(file: string, day: string): Map<string, TokenUse> {
  if (!existsSync(file)) return new Map();
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  try {
    const rows = db
      .prepare(
        "select l.token, l.at, coalesce(u.calls, 0) as calls from last_use l left join usage u on u.token = l.token and u.day = ?",
      )
      .all(day);
    return new Map(
      rows.map((row) => [String(row.token), { lastUsedAt: Number(row.at), callsToday: Number(row.calls) }]),
    );
  } finally {
    db.close();
  }
}
