import type { DatabaseSync } from "node:sqlite";
import { bareName } from "../names.ts";
import { type ColumnUnit, type ScipDocument, ScipError } from "./format.ts";
import {
  type Occurrence,
  type Place,
  packOccurrences,
  packPlaces,
  type SymbolRef,
} from "./occurrence-list.ts";
import { descriptorsOf, isLocal } from "./symbol-name.ts";

/** Most indexes of a repository: two commits each of three indexers. */
const MAX_INDEXES = 6;
/** Largest size of all indexes of a repository together. Bytes. */
const MAX_BYTES = 1024 ** 3;
/** Approximate size of a row and its place in an index. Bytes. */
const ROW_BYTES = 40;
/** Number of symbols whose ids are kept in memory during an import. */
const MAX_KNOWN = 200_000;

export interface IndexDescription {
  tool: string;
  commit: string;
  /** `server`: made here. `upload`: sent by a client. */
  source: "server" | "upload";
}

/** Writes the documents of one index. All of it belongs into one transaction of the caller. */
export class PreciseWriter {
  readonly #db: DatabaseSync;
  readonly #index: number;
  readonly #known = new Map<string, number>();
  readonly #statements;
  documents = 0;
  occurrences = 0;

  /** Continues the index of the same tool, source and commit, or starts one. */
  constructor(db: DatabaseSync, { tool, commit, source }: IndexDescription) {
    this.#db = db;
    const known = db
      .prepare("SELECT id FROM indexes WHERE tool = ? AND commit_hash = ? AND source = ?")
      .get(tool, commit, source);
    const at = new Date().toISOString();
    this.#index = Number(
      known?.id ??
        db
          .prepare("INSERT INTO indexes (tool, commit_hash, source, at, bytes) VALUES (?, ?, ?, ?, 0)")
          .run(tool, commit, source, at).lastInsertRowid,
    );
    db.prepare("UPDATE indexes SET at = ? WHERE id = ?").run(at, this.#index);
    this.#statements = {
      find: db.prepare("SELECT id FROM symbols WHERE symbol = ?"),
      symbol: db.prepare("INSERT INTO symbols (symbol, name) VALUES (?, ?)"),
      document: db.prepare(
        "INSERT INTO documents (index_id, path, oid, unit, occurrences) VALUES (?, ?, ?, ?, zeroblob(0))",
      ),
      pack: db.prepare("UPDATE documents SET occurrences = ? WHERE id = ?"),
      use: db.prepare("INSERT INTO uses (symbol, document, defines, places) VALUES (?, ?, ?, ?)"),
      relation: db.prepare("INSERT OR IGNORE INTO relations (symbol, related, document) VALUES (?, ?, ?)"),
      grow: db.prepare("UPDATE indexes SET bytes = bytes + ? WHERE id = ?"),
    };
  }

  /**
   * Adds a document, in place of an earlier one of the same path.
   *
   * @param oid git's hash of the file @param unit of the columns
   * @throws ScipError if the index grows beyond its limit
   */
  add(document: ScipDocument, oid: string, unit: ColumnUnit): void {
    this.remove(document.path);
    const s = this.#statements;
    const id = Number(s.document.run(this.#index, document.path, oid, unit).lastInsertRowid);
    const locals = new Map<string, number>();
    const refOf = (symbol: string): SymbolRef => {
      if (!isLocal(symbol)) return this.#idOf(symbol);
      const n = locals.get(symbol) ?? locals.size;
      locals.set(symbol, n);
      return -1 - n;
    };
    const occurrences = document.occurrences.map((o): Occurrence => {
      const { line, column, endLine, endColumn, isDefinition } = o;
      return { line, column, endLine, endColumn, symbol: refOf(o.symbol), isDefinition };
    });
    const packed = packOccurrences(occurrences);
    s.pack.run(packed, id);
    let bytes = packed.length + ROW_BYTES * (1 + document.relations.length);
    for (const [symbol, found] of placesBySymbol(occurrences)) {
      const places = packPlaces(found);
      s.use.run(symbol, id, found.some(({ isDefinition }) => isDefinition) ? 1 : 0, places);
      bytes += ROW_BYTES + places.length;
    }
    for (const { from, to } of document.relations)
      if (!isLocal(from) && !isLocal(to)) s.relation.run(this.#idOf(from), this.#idOf(to), id);
    s.grow.run(bytes, this.#index);
    this.documents++;
    this.occurrences += occurrences.length;
    if (this.#size() > MAX_BYTES) throw new ScipError(`the index is larger than ${MAX_BYTES} bytes`);
  }

  /** Removes the document of a path. */
  remove(path: string): void {
    const rows = this.#db
      .prepare("SELECT id FROM documents WHERE index_id = ? AND path = ?")
      .all(this.#index, path);
    for (const { id } of rows) removeDocuments(this.#db, "id = ?", Number(id));
  }

  /** Removes the oldest indexes until the limits hold: at most two of each tool, six in all, and 1 GiB together. */
  removeOld(): void {
    const db = this.#db;
    const all = db
      .prepare("SELECT id, tool, bytes FROM indexes ORDER BY id = ? DESC, at DESC, id DESC")
      .all(this.#index);
    const ofTool = new Map<string, number>();
    let bytes = 0;
    let kept = 0;
    for (const row of all) {
      const count = ofTool.get(String(row.tool)) ?? 0;
      bytes += Number(row.bytes);
      if (count < 2 && kept < MAX_INDEXES && (kept === 0 || bytes <= MAX_BYTES)) {
        ofTool.set(String(row.tool), count + 1);
        kept++;
        continue;
      }
      bytes -= Number(row.bytes);
      removeDocuments(db, "index_id = ?", Number(row.id));
      db.prepare("DELETE FROM indexes WHERE id = ?").run(Number(row.id));
    }
    db.exec(
      `DELETE FROM symbols WHERE id NOT IN (SELECT symbol FROM uses)
         AND id NOT IN (SELECT symbol FROM relations) AND id NOT IN (SELECT related FROM relations)`,
    );
  }

  #size(): number {
    return Number(this.#db.prepare("SELECT bytes FROM indexes WHERE id = ?").get(this.#index)?.bytes);
  }

  #idOf(symbol: string): number {
    const known = this.#known.get(symbol);
    if (known !== undefined) return known;
    const { find, symbol: insert } = this.#statements;
    const found = find.get(symbol)?.id;
    const id = Number(
      found ?? insert.run(symbol, bareName(descriptorsOf(symbol).at(-1) ?? "")).lastInsertRowid,
    );
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(symbol, id);
    return id;
  }
}

/** Without the local symbols, which have no other document. */
function placesBySymbol(occurrences: readonly Occurrence[]): Map<number, Place[]> {
  const places = new Map<number, Place[]>();
  for (const occurrence of occurrences) {
    if (occurrence.symbol < 0) continue;
    const known = places.get(occurrence.symbol);
    if (known) known.push(occurrence);
    else places.set(occurrence.symbol, [occurrence]);
  }
  return places;
}

function removeDocuments(db: DatabaseSync, where: string, value: number): void {
  const documents = `SELECT id FROM documents WHERE ${where}`;
  for (const table of ["uses", "relations"])
    db.prepare(`DELETE FROM ${table} WHERE document IN (${documents})`).run(value);
  db.prepare(`DELETE FROM documents WHERE ${where}`).run(value);
}
