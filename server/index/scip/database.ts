import { DatabaseSync } from "node:sqlite";
import { prepared } from "../prepared.ts";

/** The precise indexes of a repository. The file outlives the generations of the lexical index. */
export const PRECISE_FILE = "precise-v2.sqlite";
/** Held by the process that makes a precise index. */
export const PRECISE_LOCK = "precise-lock.sqlite";

/**
 * `documents.oid` is git's hash of the file that a document describes: if the file in the work tree has another one, it has changed since.
 * `uses` has the places of each symbol, document by document; local symbols are not in it. `relations` joins a symbol and those whose uses are its uses too.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS indexes (id INTEGER PRIMARY KEY, tool TEXT NOT NULL, commit_hash TEXT NOT NULL, source TEXT NOT NULL,
  at TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, index_id INTEGER NOT NULL, path TEXT NOT NULL, oid TEXT NOT NULL,
  unit TEXT NOT NULL, occurrences BLOB NOT NULL, UNIQUE (path, index_id));
CREATE INDEX IF NOT EXISTS documents_index ON documents (index_id);
CREATE TABLE IF NOT EXISTS symbols (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS symbols_name ON symbols (name);
CREATE TABLE IF NOT EXISTS uses (symbol INTEGER NOT NULL, document INTEGER NOT NULL, defines INTEGER NOT NULL,
  places BLOB NOT NULL, PRIMARY KEY (symbol, document)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uses_document ON uses (document);
CREATE TABLE IF NOT EXISTS relations (symbol INTEGER NOT NULL, related INTEGER NOT NULL, document INTEGER NOT NULL,
  PRIMARY KEY (symbol, related, document)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relations_related ON relations (related);
CREATE INDEX IF NOT EXISTS relations_document ON relations (document);
`;

/** Opens the precise indexes of a repository for writing; creates the file if it is missing. */
export function openPreciseForUpdate(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 10_000 });
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
  // Readers that open the file meanwhile see all of its tables or none.
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}; COMMIT`);
  return db;
}

/** The commits that a tool has indexed, the newest index first; none if there is no such file. */
export async function commitsOf(file: string, tool: string): Promise<{ commit: string; source: string }[]> {
  let db: DatabaseSync | undefined;
  try {
    db = openPreciseForQueries(file);
    const rows = db
      .prepare("SELECT commit_hash, source FROM indexes WHERE tool = ? ORDER BY at DESC, id DESC")
      .all(tool);
    return rows.map((row) => ({ commit: String(row.commit_hash), source: String(row.source) }));
  } catch {
    return [];
  } finally {
    db?.close();
  }
}

/** False for a file that was created a moment ago. */
export function hasTables(db: DatabaseSync): boolean {
  return prepared(db, "SELECT 1 FROM sqlite_schema WHERE name = 'indexes'").get() !== undefined;
}

/** @throws if there is no such file */
export function openPreciseForQueries(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
}
