import type { DatabaseSync } from "node:sqlite";
import { BELOW, type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import type { Kind } from "../languages.ts";

/** A symbol where it is defined. */
export interface FoundSymbol {
  path: string;
  name: string;
  kind: Kind;
  parent: string;
  line: number;
  column: number;
  end_line: number;
  signature: string;
}

export interface FindSymbolJob extends IndexJob {
  /** The last part of the name path. */
  name: string;
  /** Parts before it, innermost last; the symbol's parents must end with them. */
  parents: readonly string[];
  match: "exact" | "prefix" | "substring";
  /** None means all. */
  kinds: readonly string[];
  path: string;
}

/** So many are ranked; a name that has more is too common to be found by. */
const MAX_FOUND = 2_000;

const COLUMNS =
  "files.path, name, kind, parent, symbols.line, col AS column, end_line, signature FROM symbols JOIN files ON files.id = symbols.file";

/** Definitions by name, case-insensitive, the likeliest first: exact before similar, product before tests, short paths before long. */
export function findSymbol(job: FindSymbolJob): Promise<{ symbols: FoundSymbol[] } & Freshness> {
  return reading(job, (db) => {
    const wanted = job.parents.map((part) => part.toLowerCase()).join("/");
    const symbols = rows(db, job).filter(
      (s) =>
        (job.kinds.length === 0 || job.kinds.includes(s.kind)) &&
        (wanted === "" || `/${s.parent.toLowerCase()}`.endsWith(`/${wanted}`)),
    );
    return { symbols: rank(symbols, job.name) };
  });
}

function rows(db: DatabaseSync, { name, match, path }: FindSymbolJob): FoundSymbol[] {
  // COLLATE NOCASE folds only ASCII, and so do these ranges: the index on the name serves exact and prefix.
  const where = {
    exact: "name = :name COLLATE NOCASE",
    prefix: "name >= :name COLLATE NOCASE AND name < :name || char(1114111) COLLATE NOCASE",
    substring: "instr(lower(name), lower(:name)) > 0",
  }[match];
  const sql = `SELECT ${COLUMNS} WHERE ${where} AND ${BELOW} LIMIT ${MAX_FOUND}`;
  return db.prepare(sql).all({ name, path }) as unknown as FoundSymbol[];
}

/** Exact definitions of one name in the whole repository, ranked. */
export function definitionsOf(db: DatabaseSync, name: string): FoundSymbol[] {
  const sql = `SELECT ${COLUMNS} WHERE name = :name COLLATE NOCASE LIMIT ${MAX_FOUND}`;
  const found = db.prepare(sql).all({ name }) as unknown as FoundSymbol[];
  return rank(
    found.filter((s) => s.name === name),
    name,
  );
}

export function rank(symbols: FoundSymbol[], name: string): FoundSymbol[] {
  const lower = name.toLowerCase();
  const keyed = symbols.map((symbol) => ({
    symbol,
    key:
      (symbol.name === name ? 0 : symbol.name.toLowerCase() === lower ? 10 : 20) +
      (SECONDARY.test(symbol.path) ? 4 : 0) +
      (symbol.kind === "field" || symbol.kind === "variable" ? 2 : 0) +
      (symbol.signature.endsWith(";") ? 1 : 0),
  }));
  keyed.sort(
    (a, b) =>
      a.key - b.key ||
      a.symbol.name.length - b.symbol.name.length ||
      a.symbol.path.length - b.symbol.path.length ||
      (a.symbol.path < b.symbol.path
        ? -1
        : a.symbol.path > b.symbol.path
          ? 1
          : a.symbol.line - b.symbol.line),
  );
  return keyed.map(({ symbol }) => symbol);
}
