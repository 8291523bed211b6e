import type { DatabaseSync } from "node:sqlite";
import { BELOW, type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import type { Kind } from "../languages.ts";
import { bareName, splitNamePath } from "../names.ts";
import { nearestNames } from "./nearest-names.ts";

/** A symbol where it is defined. */
export interface FoundSymbol {
  path: string;
  name: string;
  kind: Kind;
  parent: string;
  /** Where its documentation, decorators or type begin. */
  start_line: number;
  line: number;
  column: number;
  end_line: number;
  signature: string;
}

export interface FindSymbolJob extends IndexJob {
  /** A name or a path of names, see splitNamePath. */
  name: string;
  match: "exact" | "prefix" | "substring";
  /** None means all. */
  kinds: readonly string[];
  path: string;
}

export interface FoundSymbols {
  /** Ranked, at most 2,000. */
  symbols: FoundSymbol[];
  /** How many there are. */
  total: number;
  /** Parts of the name before the last that fit no definition, outermost first. */
  unfit: string[];
  /** When nothing was found: names that are like the one asked for. */
  near: string[];
}

/** So many are ranked; a name that has more is too common to be found by. */
const MAX_FOUND = 2_000;

const COLUMNS =
  "files.path, name, kind, parent, start_line, symbols.line, col AS column, end_line, signature";
const FROM = "FROM symbols JOIN files ON files.id = symbols.file";
/** Greater than any fit of parts: the whole text is the name (`MyApp.Services`, `.menu > a`). */
const WHOLE = 1_000_000;
const FIT = `CASE WHEN bare = :whole COLLATE NOCASE THEN ${WHOLE} ELSE fit_of(:parents, files.path, files.package, parent) END`;

/**
 * Definitions by name, case-insensitive, the likeliest first: exact before similar, product before tests, short paths before long. What
 * stands before the last name may be enclosing symbols, packages, files or folders; where not all of it fits, the definitions that most
 * of it fits are answered.
 */
export function findSymbol(job: FindSymbolJob): Promise<FoundSymbols & Freshness> {
  return reading(
    job,
    (db) => {
      const { name, parents, whole } = splitNamePath(job.name);
      const values = {
        name,
        bare: bareName(name),
        whole: bareName(whole),
        path: job.path,
        kinds: JSON.stringify(job.kinds),
        parents: JSON.stringify(parents),
      };
      const ask = (sql: string, more = {}) => {
        const statement = db.prepare(sql);
        statement.setAllowUnknownNamedParameters(true);
        return statement.all({ ...values, ...more });
      };
      let where = `(${MATCH[job.match]}) AND ${BELOW} AND (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds)))`;
      // A sigil is meant when something is spelled so: "#run" is not the public "run".
      const spelled = `${where} AND name = :name COLLATE NOCASE`;
      if (name !== values.bare && ask(`SELECT 1 ${FROM} WHERE ${spelled} LIMIT 1`).length > 0)
        where = spelled;
      let fit = 0;
      if (parents.length > 0) {
        fit = Number(ask(`SELECT max(${FIT}) AS fit ${FROM} WHERE ${where}`)[0]?.fit ?? 0);
        where += ` AND ${FIT} = :fit`;
      }
      const total = Number(ask(`SELECT count(*) AS n ${FROM} WHERE ${where}`, { fit })[0]?.n);
      const sql = `SELECT ${COLUMNS} ${FROM} WHERE ${where}
      ORDER BY name <> :name, length(name), length(files.path), files.path, symbols.line LIMIT ${MAX_FOUND}`;
      const fitting = fit === WHOLE ? parents.length : Math.floor(fit / 2);
      return {
        symbols: rank(ask(sql, { fit }) as unknown as FoundSymbol[], name),
        total,
        unfit: total === 0 ? [] : parents.slice(0, parents.length - fitting),
        near: total === 0 ? nearestNames(db, values.bare) : [],
      };
    },
    job.path,
  );
}

// COLLATE NOCASE folds only ASCII, and so do these ranges: the index on the bare name serves exact and prefix.
const MATCH = {
  exact: "bare = :bare COLLATE NOCASE OR bare = :whole COLLATE NOCASE",
  prefix: "bare >= :bare COLLATE NOCASE AND bare < :bare || char(1114111) COLLATE NOCASE",
  substring: "instr(lower(name), lower(:name)) > 0 OR instr(lower(bare), lower(:bare)) > 0",
};
/**
 * Exact definitions of one name in the whole repository, ranked; of those that are spelled with its sigil when there are any, else of
 * all that are named so without one.
 */
export function definitionsOf(db: DatabaseSync, name: string): FoundSymbol[] {
  const bare = bareName(name);
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE bare = :bare COLLATE NOCASE AND bare = :bare
    ORDER BY name <> :name, length(files.path) LIMIT ${MAX_FOUND}`;
  const found = db.prepare(sql).all({ name, bare }) as unknown as FoundSymbol[];
  const spelled = found.filter((s) => s.name === name);
  return rank(spelled.length > 0 && name !== bare ? spelled : found, name);
}

export function rank(symbols: FoundSymbol[], name: string): FoundSymbol[] {
  const lower = bareName(name).toLowerCase();
  const keyed = symbols.map((symbol) => ({
    symbol,
    key:
      (symbol.name === name ? 0 : bareName(symbol.name).toLowerCase() === lower ? 10 : 20) +
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
