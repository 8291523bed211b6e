import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { nativeFile, VECTORS } from "../assets.ts";
import { readMeta } from "../database.ts";
import type { IndexJob } from "../job.ts";
import { reading } from "../job.ts";
import { TreeReader } from "../work-tree.ts";

/** Longest text that is sent for one passage, characters. */
const MAX_TEXT = 6_000;

/**
 * `pieces` are the passages of the indexed files, named by the hash of the text that is sent. A passage that moves or comes back keeps its
 * vector. The table of the vectors is created when their length is known.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pieces (path TEXT NOT NULL, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_hash ON pieces (hash);
CREATE TABLE IF NOT EXISTS known (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE);
`;

export interface VectorsJob extends IndexJob {
  /** The database file of the vectors. */
  vectors: string;
  /** The vectors of different models are not comparable. */
  model: string;
}

/** @throws if sqlite-vec is missing or cannot be loaded */
export function openVectors(file: string): DatabaseSync {
  const extension = nativeFile(VECTORS);
  if (!extension)
    throw new Error(`${VECTORS} is missing: native/${VECTORS} next to server.mjs, or run: npm ci`);
  const db = new DatabaseSync(file, { allowExtension: true, timeout: 5_000 });
  try {
    db.loadExtension(extension);
    db.enableLoadExtension(false);
    db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const get = (db: DatabaseSync, key: string) =>
  db.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value as string | undefined;
const put = (db: DatabaseSync, key: string, value: string) =>
  db.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)").run(key, value);

/** The length of the stored vectors; undefined before the first one. */
export function dimension(db: DatabaseSync): number | undefined {
  const value = get(db, "dimension");
  return value === undefined ? undefined : Number(value);
}

export interface MissingVectors {
  /** Some of the passages without a vector. */
  pieces: { hash: string; text: string }[];
  missing: number;
  all: number;
}

/** Updates the list of passages from the index, and returns those without a vector. */
export async function vectorsMissing(job: VectorsJob & { limit: number }): Promise<MissingVectors> {
  const db = openVectors(job.vectors);
  try {
    if (get(db, "model") !== job.model) forget(db, job.model);
    await updatePieces(db, job);
    const all = Number(db.prepare("SELECT count(DISTINCT hash) AS n FROM pieces").get()?.n);
    const lacking = "FROM pieces WHERE hash NOT IN (SELECT hash FROM known)";
    const missing = Number(db.prepare(`SELECT count(DISTINCT hash) AS n ${lacking}`).get()?.n);
    const rows = db
      .prepare(`SELECT hash, path, start_line, end_line ${lacking} GROUP BY hash LIMIT ?`)
      .all(job.limit);
    const reader = new TreeReader(job.root);
    const pieces: MissingVectors["pieces"] = [];
    for (const row of rows) {
      const path = String(row.path);
      const text = pieceOf(
        path,
        (await reader.read(path)) ?? "",
        Number(row.start_line),
        Number(row.end_line),
      );
      // A file that has changed since is read again after the next update of the index.
      if (hashOf(text) === row.hash) pieces.push({ hash: String(row.hash), text });
    }
    return { pieces, missing, all };
  } finally {
    db.close();
  }
}

async function updatePieces(db: DatabaseSync, job: VectorsJob): Promise<void> {
  await reading(job, async (index) => {
    const { fingerprint } = readMeta(index);
    if (get(db, "fingerprint") === fingerprint) return {};
    const chunks = index
      .prepare(
        "SELECT files.path, start_line, end_line FROM chunks JOIN files ON files.id = chunks.file ORDER BY files.path",
      )
      .all();
    const reader = new TreeReader(job.root);
    const rows: [string, number, number, string][] = [];
    let open = { path: "", text: "" };
    for (const { path, start_line, end_line } of chunks as {
      path: string;
      start_line: number;
      end_line: number;
    }[]) {
      if (open.path !== path) open = { path, text: (await reader.read(path)) ?? "" };
      rows.push([path, start_line, end_line, hashOf(pieceOf(path, open.text, start_line, end_line))]);
    }
    db.exec("BEGIN IMMEDIATE; DELETE FROM pieces");
    try {
      const insert = db.prepare("INSERT INTO pieces VALUES (?, ?, ?, ?)");
      for (const row of rows) insert.run(...row);
      if (dimension(db) !== undefined)
        db.exec(
          "DELETE FROM vectors WHERE rowid IN (SELECT id FROM known WHERE hash NOT IN (SELECT hash FROM pieces))",
        );
      db.exec("DELETE FROM known WHERE hash NOT IN (SELECT hash FROM pieces)");
      put(db, "fingerprint", fingerprint);
      db.exec("COMMIT");
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
    return {};
  });
}

function forget(db: DatabaseSync, model: string): void {
  db.exec("DROP TABLE IF EXISTS vectors; DELETE FROM known; DELETE FROM pieces; DELETE FROM meta");
  put(db, "model", model);
}

/** Stores vectors, all of them or none. */
export async function vectorsStore(
  job: VectorsJob & { hashes: readonly string[]; vectors_of: readonly (readonly number[])[] },
): Promise<void> {
  const db = openVectors(job.vectors);
  try {
    const length = job.vectors_of[0]?.length ?? 0;
    const before = dimension(db);
    if (before !== undefined && before !== length) {
      forget(db, job.model);
      return;
    }
    db.exec("BEGIN IMMEDIATE");
    try {
      if (before === undefined) {
        db.exec(`CREATE VIRTUAL TABLE vectors USING vec0(embedding float[${length}] distance_metric=cosine)`);
        put(db, "dimension", String(length));
      }
      const name = db.prepare("INSERT OR IGNORE INTO known (hash) VALUES (?)");
      const insert = db.prepare("INSERT INTO vectors (rowid, embedding) VALUES (?, ?)");
      for (const [n, hash] of job.hashes.entries()) {
        const { changes, lastInsertRowid } = name.run(hash);
        if (changes === 1) insert.run(BigInt(lastInsertRowid), bytesOf(job.vectors_of[n] ?? []));
      }
      db.exec("COMMIT");
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  } finally {
    db.close();
  }
}

export const bytesOf = (vector: readonly number[]) => new Uint8Array(new Float32Array(vector).buffer);

function pieceOf(path: string, text: string, from: number, to: number): string {
  const lines = text.split("\n").slice(from - 1, to);
  return `${path}\n${lines.join("\n")}`.slice(0, MAX_TEXT);
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);
