import { DatabaseSync } from "node:sqlite";
import { fitOf } from "./names.ts";
import { prepared } from "./prepared.ts";

/** Version of the schema. With another number each index is built again, next to that of the older release. */
export const INDEX_VERSION = 8;

/**
 * `chunks_text` finds text by trigrams, `words` finds the files with an identifier. Neither keeps the text, which is read from the work
 * tree. `bare` is the name for lookups (names.ts), `start_line` the first line of comment, decorators and type. `oid` is git's hash of the file. `left_out` lists the files
 * without text or symbols. `texts` has each regular file, also what `files` leaves out, with the state by which a change is noticed
 * (LoadedFile); it is searchable if it is text. `trigrams` has the ids in `texts` for each trigram (trigrams/).
 */
const SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, language TEXT, lines INTEGER NOT NULL, size INTEGER NOT NULL,
  package TEXT NOT NULL, oid TEXT NOT NULL);
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
CREATE TABLE texts (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, searchable INTEGER NOT NULL, size INTEGER NOT NULL,
  changed REAL NOT NULL, oid TEXT NOT NULL);
CREATE TABLE trigrams (key INTEGER PRIMARY KEY, ids BLOB NOT NULL);
CREATE TABLE trigram_segments (segment INTEGER PRIMARY KEY);
`;

/** The description that an index contains. */
export interface IndexMeta {
  /** The commit that was checked out, or "" in a repository without one. */
  commit: string;
  /** Changes with the commit and with each change in the work tree. */
  fingerprint: string;
  /** ISO 8601. */
  indexed_at: string;
  files: number;
  lines: number;
  /** Paths that differed from the commit. The next update checks them again. */
  dirty: string[];
}

/** Creates an empty index. A crash before it is published costs nothing, so nothing is synced. */
export function createDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384");
  db.exec(SCHEMA);
  return db;
}

/** Opens an index that is in use, for an update. Readers see the old state until the commit, also if the writer is killed. */
export function openForUpdate(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
  return db;
}

/** @throws if the file is missing or not an index */
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

/** @throws if the index is not complete */
export function readMeta(db: DatabaseSync): IndexMeta {
  const row = prepared(db, "SELECT value FROM meta WHERE key = 'index'").get();
  if (!row) throw new Error("the index is not whole");
  return JSON.parse(String(row.value)) as IndexMeta;
}

export function writeMeta(db: DatabaseSync, meta: IndexMeta): void {
  db.prepare("INSERT OR REPLACE INTO meta VALUES ('index', ?)").run(JSON.stringify(meta));
}

/**
 * Encodes an identifier for the `words` table. The tokenizer ignores case, so "^" marks an uppercase letter.
 */
export function encodeWord(word: string): string {
  return word.replace(/\p{Lu}/gu, (letter) => `^${letter}`);
}
