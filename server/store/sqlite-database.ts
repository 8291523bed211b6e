import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { checkpoint } from "./checkpoint.ts";
import { retryWhileBusy } from "./sqlite-busy.ts";
import { ADDED_COLUMNS, SCHEMA, SQL } from "./sqlite-schema.ts";

/** How long a write is retried while another process writes, milliseconds. */
const BUSY_LIMIT_MS = 5_000;
/** Each sweep checkpoints the write-ahead log in a thread. Only a log that grows beyond this is checkpointed at once. Pages of 4 KiB. */
const LARGE_LOG_PAGES = 8_192;
/** Rows that one statement of a sweep deletes: the event loop and the other process get a turn in between. */
export const SLICE = 500;

export type Statements = { readonly [K in keyof typeof SQL]: StatementSync };

/** The SQLite file of the store, with its schema and its queue of writes. */
export class SqliteDatabase {
  readonly sql: Statements;
  /** Undefined for a database in memory. */
  readonly file: string | undefined;
  readonly #db: DatabaseSync;
  /** The last write, finished or not. */
  #last: Promise<unknown> = Promise.resolve();
  #checkpoint: Promise<void> | undefined;

  /**
   * @param file absolute path, or ":memory:"
   * @throws when it cannot be opened or is not a SQLite database
   */
  constructor(file: string) {
    this.file = file === ":memory:" ? undefined : file;
    this.#db = new DatabaseSync(file, { timeout: BUSY_LIMIT_MS });
    try {
      // NORMAL: a crash of the machine may lose the last moments, but does not damage the file. A crash of the process loses nothing.
      this.#db.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;
        PRAGMA wal_autocheckpoint = ${LARGE_LOG_PAGES}`,
      );
      this.#db.exec(SCHEMA);
      this.#addColumns();
      const prepare = ([name, text]: [string, string]) => [name, this.#db.prepare(text)];
      this.sql = Object.fromEntries(Object.entries(SQL).map(prepare)) as Statements;
      // SQLite's own wait is right at the start. From now on it would block the event loop (see sqlite-busy.ts).
      this.#db.exec("PRAGMA busy_timeout = 0");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  /** Runs a transaction after all earlier ones, so that a write which has to wait is not overtaken by a later one. */
  write<T>(work: () => T): Promise<T> {
    const done = this.#last.then(() => retryWhileBusy(() => this.#transaction(work), BUSY_LIMIT_MS));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** @param slice deletes at most SLICE rows and returns their number; it is repeated until there are fewer */
  async writeInSlices(slice: () => number): Promise<void> {
    while ((await this.write(slice)) >= SLICE) await nextTurn();
  }

  /** Moves the write-ahead log into the file; see checkpoint.ts. */
  async checkpoint(): Promise<void> {
    if (this.file === undefined || !this.isOpen) return;
    this.#checkpoint ??= checkpoint(this.file)
      .catch(() => undefined)
      .finally(() => {
        this.#checkpoint = undefined;
      });
    await this.#checkpoint;
  }

  async close(): Promise<void> {
    await this.#last;
    // After close() nothing has the file open, the checkpoint's thread included.
    await this.#checkpoint;
    if (this.isOpen) this.#db.close();
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
