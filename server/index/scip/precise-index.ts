import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { OpenDatabases } from "../open-databases.ts";
import { prepared } from "../prepared.ts";
import { type CurrentFiles, currentFiles } from "./current-files.ts";
import { hasTables, openPreciseForQueries, PRECISE_FILE } from "./database.ts";
import type { ColumnUnit } from "./format.ts";
import {
  type Occurrence,
  type Place,
  type SymbolRef,
  unpackOccurrences,
  unpackPlaces,
} from "./occurrence-list.ts";

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

/** The places of one symbol in a document. */
export interface SymbolUses {
  symbol: number;
  document: PreciseDocument;
  places(): Place[];
}

/** The index that an answer comes from. */
export interface PreciseSource {
  tool: string;
  commit: string;
}

/** Most definitions of one name. */
const MAX_NAMED = 2_000;
/** As the indexers name them. */
const CONSTRUCTORS = ["`<constructor>`", "`<init>`"];

const open = new OpenDatabases(openPreciseForQueries);

/**
 * The precise indexes of a repository, as one: of each indexer the index of the commit that is checked out, else its newest one.
 */
export class PreciseIndex {
  readonly #db: DatabaseSync;
  readonly #active: string;
  readonly #current: CurrentFiles;
  readonly sources: readonly PreciseSource[];

  private constructor(db: DatabaseSync, lexical: DatabaseSync, commit: string) {
    this.#db = db;
    const rows = prepared(
      db,
      "SELECT id, tool, commit_hash FROM indexes ORDER BY commit_hash = ? DESC, at DESC",
    ).all(commit);
    const ofTool = new Map<string, (typeof rows)[number]>();
    for (const row of rows) if (!ofTool.has(String(row.tool))) ofTool.set(String(row.tool), row);
    const active = [...ofTool.values()];
    this.#active = JSON.stringify(active.map(({ id }) => id));
    this.#current = currentFiles(db, lexical, this.#active);
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
      if (!hasTables(db)) return undefined;
      const index = new PreciseIndex(db, lexical, commit);
      return index.sources.length === 0 ? undefined : await use(index);
    } finally {
      db.exec("COMMIT");
    }
  }

  /** The symbols whose last descriptor is `name`, with the files of this repository that define them. */
  symbolsNamed(name: string): (PreciseSymbol & { homes: string[] })[] {
    const sql = `SELECT symbols.id, symbols.symbol, path FROM symbols JOIN uses ON uses.symbol = symbols.id
      JOIN documents ON documents.id = uses.document
      WHERE name = ? AND defines = 1 AND index_id IN (SELECT value FROM json_each(?)) ORDER BY symbols.id, path LIMIT ${MAX_NAMED}`;
    const found = new Map<number, PreciseSymbol & { homes: string[] }>();
    for (const row of prepared(this.#db, sql).all(name, this.#active)) {
      const [id, path] = [Number(row.id), String(row.path)];
      const known = found.get(id);
      if (known) known.homes.push(path);
      else found.set(id, { id, symbol: String(row.symbol), homes: [path] });
    }
    return [...found.values()];
  }

  /** The constructors of the classes among some symbols. The code names them by their class. */
  constructorsOf(symbols: readonly PreciseSymbol[]): number[] {
    const classes = symbols.filter(({ symbol }) => symbol.endsWith("#"));
    if (classes.length === 0) return [];
    const starts = classes.flatMap(({ symbol }) => CONSTRUCTORS.map((name) => symbol + name));
    // CROSS JOIN keeps the order of the tables, so that each start is one range of the index.
    const sql = `SELECT symbols.id, substr(symbol, length(start.value) + 1) AS rest FROM json_each(?) AS start
      CROSS JOIN symbols ON symbol > start.value AND symbol < start.value || char(1114111)`;
    const rows = prepared(this.#db, sql).all(JSON.stringify(starts));
    // Not their parameters, which are below them.
    return rows.flatMap(({ id, rest }) => (/^\((?:\+\d+)?\)\.$/.test(String(rest)) ? [Number(id)] : []));
  }

  symbol(id: SymbolRef): PreciseSymbol | undefined {
    return prepared(this.#db, "SELECT id, symbol FROM symbols WHERE id = ?").get(id) as unknown as
      | PreciseSymbol
      | undefined;
  }

  /** The symbols whose uses are uses of some others too: what those implement, and what implements them. */
  relatedTo(ids: readonly number[]): number[] {
    const wanted = "IN (SELECT value FROM json_each(:ids))";
    const sql = `SELECT related AS id FROM relations WHERE symbol ${wanted} UNION SELECT symbol FROM relations WHERE related ${wanted}`;
    return prepared(this.#db, sql)
      .all({ ids: JSON.stringify(ids) })
      .map((row) => Number(row.id));
  }

  /** The places of symbols in each document, by path. @param only `definitions`: documents that define them */
  usesOf(ids: readonly number[], only?: "definitions"): SymbolUses[] {
    const sql = `SELECT uses.symbol, places, documents.id, documents.path, unit FROM json_each(?) AS wanted CROSS JOIN uses ON uses.symbol = wanted.value
      CROSS JOIN documents ON documents.id = uses.document
      WHERE defines >= ? AND index_id IN (SELECT value FROM json_each(?)) ORDER BY documents.path`;
    return prepared(this.#db, sql)
      .all(JSON.stringify(ids), only ? 1 : 0, this.#active)
      .map((row) => ({
        symbol: Number(row.symbol),
        document: this.#document(row),
        places: () => unpackPlaces(row.places as Uint8Array),
      }));
  }

  /** Whether the indexes describe a file as it is now. @param file `files.id` of the lexical index */
  covers(file: number): boolean {
    return this.#current.files.has(file);
  }

  /** What the indexes have of a file, a current document first; undefined if none describes it. */
  document(path: string): PreciseDocument | undefined {
    const sql =
      "SELECT id, path, unit FROM documents WHERE path = ? AND index_id IN (SELECT value FROM json_each(?))";
    const found = prepared(this.#db, sql)
      .all(path, this.#active)
      .map((row) => this.#document(row));
    return found.find(({ isCurrent }) => isCurrent) ?? found[0];
  }

  /** All names in a document, by line and column. */
  occurrences({ id }: PreciseDocument): Occurrence[] {
    const row = prepared(this.#db, "SELECT occurrences FROM documents WHERE id = ?").get(id);
    return row ? unpackOccurrences(row.occurrences as Uint8Array) : [];
  }

  #document(row: Record<string, unknown>): PreciseDocument {
    const id = Number(row.id);
    const isCurrent = this.#current.documents.has(id);
    return { id, path: String(row.path), unit: row.unit as ColumnUnit, isCurrent };
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
