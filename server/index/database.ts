import { DatabaseSync } from "node:sqlite";
import { fitOf } from "./names.ts";

/** Another number makes every index of an older release invalid: it is built anew beside the old one. */
export const INDEX_VERSION = 3;

/**
 * `chunks_text` finds texts by their trigrams, `words` finds the files that hold an identifier. Both keep no copy of the text: it is read
 * from the work tree. `bare` is what a symbol is looked up by (names.ts), `start_line` where its comment, its decorators and its type begin.
 * `left_out` names the files that lack their text or symbols here.
 */
const SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, language TEXT, lines INTEGER NOT NULL, size INTEGER NOT NULL,
  package TEXT NOT NULL);
CREATE TABLE symbols (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, name TEXT NOT NULL, bare TEXT NOT NULL, kind TEXT NOT NULL,
  parent TEXT NOT NULL, start_line INTEGER NOT NULL, line INTEGER NOT NULL, col INTEGER NOT NULL, end_line INTEGER NOT NULL, signature TEXT NOT NULL);
CREATE INDEX symbols_bare ON symbols (bare COLLATE NOCASE);
CREATE INDEX symbols_file ON symbols (file, line);
CREATE TABLE left_out (path TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE chunks (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL);
CREATE INDEX chunks_file ON chunks (file);
CREATE VIRTUAL TABLE chunks_text USING fts5 (text, content='', contentless_delete=1, tokenize='trigram');
CREATE VIRTUAL TABLE words USING fts5 (word, content='', contentless_delete=1, detail=none,
  tokenize="unicode61 remove_diacritics 0 tokenchars '_$^'");
CREATE VIRTUAL TABLE words_vocab USING fts5vocab (words, row);
`;

/** What an index says of itself. */
export interface IndexMeta {
  /** The commit that was checked out, or "" in a repository without one. */
  commit: string;
  /** Stands for the commit and every change in the work tree. */
  fingerprint: string;
  /** ISO 8601. */
  indexed_at: string;
  files: number;
  lines: number;
  /** Paths that differed from the commit, to be looked at again the next time. */
  dirty: string[];
}

/** A new, empty index. Until it is named as the current one a crash costs nothing, so nothing is synced. */
export function createDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384");
  db.exec(SCHEMA);
  return db;
}

/** An index that is in use, to change it: readers see the old state until the commit, and a killed writer leaves it. */
export function openForUpdate(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
  return db;
}

/** @throws when it is missing or no index */
export function openForQueries(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    readMeta(db);
    db.function("fit_of", { deterministic: true }, (parents, path, packageName, parent) =>
      fitOf(JSON.parse(String(parents)), {
        path: String(path),
        package: String(packageName),
        parent: String(parent),
      }),
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** @throws when the database is no whole index */
export function readMeta(db: DatabaseSync): IndexMeta {
  const row = db.prepare("SELECT value FROM meta WHERE key = 'index'").get();
  if (!row) throw new Error("the index is not whole");
  return JSON.parse(String(row.value)) as IndexMeta;
}

export function writeMeta(db: DatabaseSync, meta: IndexMeta): void {
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('index', ?)").run(JSON.stringify(meta));
}

/**
 * An identifier as the `words` table keeps it: the tokenizer folds case, so a capital letter is marked by "^".
 */
export function encodeWord(word: string): string {
  return word.replace(/\p{Lu}/gu, (letter) => `^${letter}`);
}
