import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { OpenDatabases } from "../open-databases.ts";
import { prepared } from "../prepared.ts";
import { openPreciseForQueries, PRECISE_FILE } from "./database.ts";
import type { ColumnUnit } from "./format.ts";
import { type Occurrence, type SymbolRef, unpackOccurrences } from "./occurrence-list.ts";

/** A symbol of the precise indexes. */
export interface PreciseSymbol {
  id: number;
  /** As SCIP writes it. */
  symbol: string;
}

/** What an indexer found in a file. */
export interface PreciseDocument {
  id: number;
  path: string;
  unit: ColumnUnit;
  /** False if the file has changed since: then its lines and columns may be wrong. */
  isCurrent: boolean;
}

/** The index that an answer comes from. */
export interface PreciseSource {
  tool: string;
  commit: string;
}

const open = new OpenDatabases(openPreciseForQueries);

/**
 * The precise indexes of a repository, as one: of each indexer the index of the commit that is checked out, else its newest one.
 */
export class PreciseIndex {
  readonly #db: DatabaseSync;
  readonly #lexical: DatabaseSync;
  readonly #active: string;
  readonly sources: readonly PreciseSource[];

  private constructor(db: DatabaseSync, lexical: DatabaseSync, commit: string) {
    this.#db = db;
    this.#lexical = lexical;
    const rows = prepared(
      db,
      "SELECT id, tool, commit_hash FROM indexes ORDER BY commit_hash = ? DESC, at DESC",
    ).all(commit);
    const ofTool = new Map<string, (typeof rows)[number]>();
    for (const row of rows) if (!ofTool.has(String(row.tool))) ofTool.set(String(row.tool), row);
    const active = [...ofTool.values()];
    this.#active = JSON.stringify(active.map(({ id }) => id));
    this.sources = active.map(({ tool, commit_hash }) => ({
      tool: String(tool),
      commit: String(commit_hash),
    }));
  }

  /**
   * Calls `use` with one consistent state of the precise indexes.
   *
   * @param database the file of the lexical index @param lexical its open database @param commit the commit that is checked out
   * @returns what `use` returns; undefined if the repository has no precise index
   */
  static async reading<T>(
    { database, lexical, commit }: { database: string; lexical: DatabaseSync; commit: string },
    use: (index: PreciseIndex) => T | Promise<T>,
  ): Promise<T | undefined> {
    const db = openFile(join(dirname(database), PRECISE_FILE));
    if (!db) return undefined;
    db.exec("BEGIN");
    try {
      const index = new PreciseIndex(db, lexical, commit);
      return index.sources.length === 0 ? undefined : await use(index);
    } finally {
      db.exec("COMMIT");
    }
  }

  /** The symbols with a definition in this repository whose last descriptor is `name`. */
  symbolsNamed(name: string): PreciseSymbol[] {
    const sql = `SELECT id, symbol FROM symbols WHERE name = ? AND EXISTS (SELECT 1 FROM uses JOIN documents ON documents.id = uses.document
      WHERE uses.symbol = symbols.id AND defines = 1 AND index_id IN (SELECT value FROM json_each(?))) ORDER BY id LIMIT 2000`;
    return prepared(this.#db, sql).all(name, this.#active) as unknown as PreciseSymbol[];
  }

  /** The constructors of a class, which the code names by the class. */
  constructorsOf({ symbol }: PreciseSymbol): number[] {
    if (!symbol.endsWith("#")) return [];
    const sql = "SELECT id, symbol FROM symbols WHERE symbol > :from AND symbol < :from || char(1114111)";
    return ["`<constructor>`", "`<init>`"].flatMap((name) => {
      const rows = prepared(this.#db, sql).all({ from: symbol + name }) as unknown as PreciseSymbol[];
      // Not their parameters, which are below them.
      return rows.flatMap((row) =>
        /^\((?:\+\d+)?\)\.$/.test(row.symbol.slice(symbol.length + name.length)) ? [row.id] : [],
      );
    });
  }

  symbol(id: SymbolRef): PreciseSymbol | undefined {
    return prepared(this.#db, "SELECT id, symbol FROM symbols WHERE id = ?").get(id) as unknown as
      | PreciseSymbol
      | undefined;
  }

  /** The symbols whose uses are uses of this one too: what it implements, and what implements it. */
  relatedTo(id: number): number[] {
    const sql = `SELECT related AS id, document FROM relations WHERE symbol = :id UNION SELECT symbol, document FROM relations WHERE related = :id`;
    return prepared(this.#db, `SELECT DISTINCT id FROM (${sql})`)
      .all({ id })
      .map((row) => Number(row.id));
  }

  /** The documents with a symbol, by path. @param only `definitions`: those that define it */
  documentsWith(id: number, only?: "definitions"): PreciseDocument[] {
    const sql = `SELECT documents.id, path, oid, unit FROM uses JOIN documents ON documents.id = uses.document
      WHERE symbol = ? AND defines >= ? AND index_id IN (SELECT value FROM json_each(?)) ORDER BY path`;
    return prepared(this.#db, sql)
      .all(id, only ? 1 : 0, this.#active)
      .map((row) => this.#document(row));
  }

  /** What the indexes have of a file, a current document first; undefined if none describes it. */
  document(path: string): PreciseDocument | undefined {
    const sql =
      "SELECT id, path, oid, unit FROM documents WHERE path = ? AND index_id IN (SELECT value FROM json_each(?))";
    const found = prepared(this.#db, sql)
      .all(path, this.#active)
      .map((row) => this.#document(row));
    return found.find(({ isCurrent }) => isCurrent) ?? found[0];
  }

  /** @param wanted only those of these symbols. Default: all */
  occurrences({ id }: PreciseDocument, wanted?: ReadonlySet<SymbolRef>): Occurrence[] {
    const row = prepared(this.#db, "SELECT occurrences FROM documents WHERE id = ?").get(id);
    return row ? unpackOccurrences(row.occurrences as Uint8Array, wanted) : [];
  }

  #document(row: Record<string, unknown>): PreciseDocument {
    const path = String(row.path);
    const oid = prepared(this.#lexical, "SELECT oid FROM files WHERE path = ?").get(path)?.oid;
    return { id: Number(row.id), path, unit: row.unit as ColumnUnit, isCurrent: oid === row.oid };
  }
}

/** The file may be created after the first query. */
function openFile(file: string): DatabaseSync | undefined {
  if (!existsSync(file)) {
    open.close(file);
    return undefined;
  }
  try {
    return open.get(file);
  } catch {
    return undefined;
  }
}

/** The column of a line in UTF-16 units, of one in another unit. 0-based. */
export function toUtf16(line: string, column: number, unit: ColumnUnit): number {
  if (unit === "utf16" || !/[^\p{ASCII}]/u.test(line)) return column;
  if (unit === "utf32") return [...line].slice(0, column).join("").length;
  return Buffer.from(line).subarray(0, column).toString("utf8").length;
}

/** The column of a line in another unit, of one in UTF-16 units. 0-based. */
export function fromUtf16(line: string, column: number, unit: ColumnUnit): number {
  const before = line.slice(0, column);
  if (unit === "utf8") return Buffer.byteLength(before);
  return unit === "utf32" ? [...before].length : column;
}
