import type { DatabaseSync } from "node:sqlite";
import { distance } from "fastest-levenshtein";
import { BELOW, type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import { languageOf } from "../languages.ts";
import { bareName, splitNamePath } from "../names.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface FindSymbolJob extends IndexJob {
  /** Name, optionally qualified; see splitNamePath. */
  name: string;
  match: "exact" | "prefix" | "substring";
  /** Empty for all kinds. */
  kinds: readonly string[];
  path: string;
}

export interface FoundSymbols {
  /** Ranked, at most 2,000. */
  symbols: FoundSymbol[];
  /** Number of definitions found, also those beyond 2,000. */
  total: number;
  /** Qualifiers that match no definition, outermost first. */
  unfit: string[];
  /** If nothing was found: similar names. */
  near: string[];
}

/** Largest number of definitions that are ranked. */
const MAX_FOUND = 2_000;

/** Greater than any other fit: the whole text is the name (`MyApp.Services`, `.menu > a`). */
const WHOLE = 1_000_000;
const FIT = `CASE WHEN bare = :whole COLLATE NOCASE THEN ${WHOLE} ELSE fit_of(:parents, files.path, files.package, parent) END`;

/**
 * Finds definitions by name, case-insensitive. Order: exact before similar names, product code before tests, short paths before long
 * ones. A qualifier may be an enclosing symbol, package, file or folder. If no definition matches all qualifiers, those that match most
 * of them are returned.
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
      const all = (sql: string, more = {}) => {
        const statement = db.prepare(sql);
        statement.setAllowUnknownNamedParameters(true);
        return statement.all({ ...values, ...more });
      };
      let where = `(${MATCH[job.match]}) AND ${BELOW} AND (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds)))`;
      // A sigil counts if a definition has it: "#run" is not the public "run".
      const spelled = `${where} AND name = :name COLLATE NOCASE`;
      if (name !== values.bare && all(`SELECT 1 ${SYMBOL_TABLES} WHERE ${spelled} LIMIT 1`).length > 0)
        where = spelled;
      let fit = 0;
      if (parents.length > 0) {
        fit = Number(all(`SELECT max(${FIT}) AS fit ${SYMBOL_TABLES} WHERE ${where}`)[0]?.fit ?? 0);
        where += ` AND ${FIT} = :fit`;
      }
      const total = Number(all(`SELECT count(*) AS n ${SYMBOL_TABLES} WHERE ${where}`, { fit })[0]?.n);
      const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE ${where}
      ORDER BY name <> :name, length(name), length(files.path), files.path, symbols.line LIMIT ${MAX_FOUND}`;
      const fitting = fit === WHOLE ? parents.length : Math.floor(fit / 2);
      return {
        symbols: rank(all(sql, { fit }) as unknown as FoundSymbol[], name),
        total,
        unfit: total === 0 ? [] : parents.slice(0, parents.length - fitting),
        near: total === 0 ? nearestNames(db, values.bare) : [],
      };
    },
    job.path,
  );
}

// COLLATE NOCASE folds only ASCII, as do these ranges. The index on the bare name serves exact and prefix.
const MATCH = {
  exact: "bare COLLATE NOCASE IN (:bare, :whole)",
  prefix: "bare >= :bare COLLATE NOCASE AND bare < :bare || char(1114111) COLLATE NOCASE",
  substring: "instr(lower(name), lower(:name)) > 0 OR instr(lower(bare), lower(:bare)) > 0",
};
/**
 * The definitions of exactly this name in the whole repository, ranked. If the name has a sigil and some definitions have it too, only
 * those. Keys and headings count only if no code defines the name.
 */
export function definitionsOf(db: DatabaseSync, name: string): FoundSymbol[] {
  const bare = bareName(name);
  const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE bare = :bare COLLATE NOCASE AND bare = :bare
    ORDER BY name <> :name, length(files.path) LIMIT ${MAX_FOUND}`;
  const all = db.prepare(sql).all({ name, bare }) as unknown as FoundSymbol[];
  const inCode = all.filter(({ path }) => !languageOf(path)?.isData);
  const found = inCode.length > 0 ? inCode : all;
  const spelled = found.filter((s) => s.name === name);
  return rank(spelled.length > 0 && name !== bare ? spelled : found, name);
}

const MINOR_KINDS = new Set(["field", "variable", "section"]);

export function rank(symbols: FoundSymbol[], name: string): FoundSymbol[] {
  const lower = bareName(name).toLowerCase();
  const keyed = symbols.map((symbol) => ({
    symbol,
    key:
      (symbol.name === name ? 0 : bareName(symbol.name).toLowerCase() === lower ? 10 : 20) +
      (SECONDARY.test(symbol.path) ? 4 : 0) +
      (MINOR_KINDS.has(symbol.kind) ? 2 : 0) +
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

/** Number of names that an empty result suggests. */
const MAX_NEAR = 5;

/** The names of symbols most similar to an unknown name, nearest first: a few letters differ, or one contains the other. */
export function nearestNames(db: DatabaseSync, name: string): string[] {
  const asked = name.toLowerCase();
  const most = Math.max(1, Math.floor(asked.length / 3));
  const near: { name: string; far: number }[] = [];
  // Reads only the index on the names, in its order.
  for (const row of db.prepare("SELECT DISTINCT bare COLLATE NOCASE AS bare FROM symbols").iterate()) {
    const known = String(row.bare);
    const lower = known.toLowerCase();
    const holds = lower.length > 3 && asked.length > 3 && (lower.includes(asked) || asked.includes(lower));
    if (!holds && Math.abs(lower.length - asked.length) > most) continue;
    if (!holds && asked.length < 2) continue;
    const far = holds ? Math.min(most, Math.abs(lower.length - asked.length)) : distance(asked, lower);
    if (far <= most) near.push({ name: known, far });
    if (near.length > 1_000) near.sort(byDistance).splice(MAX_NEAR);
  }
  return near
    .sort(byDistance)
    .slice(0, MAX_NEAR)
    .map((n) => n.name);
}

const byDistance = (a: { name: string; far: number }, b: { name: string; far: number }) =>
  a.far - b.far || a.name.length - b.name.length;
