import type { DatabaseSync } from "node:sqlite";
import { BELOW, SECONDARY } from "../job.ts";
import { familyOf } from "../languages.ts";
import { bareName, splitNamePath } from "../names.ts";
import { bestFitting } from "./best-fit.ts";
import { definitionsOf } from "./find-symbol.ts";
import { passagesWith, wordsOf } from "./search.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

/** What a question may be about. */
export interface Candidates {
  /** Definitions that the question names, then those whose names and code have its words. */
  symbols: FoundSymbol[];
  /** Number of them that the question names. */
  named: number;
}

const MAX_SYMBOLS = 30;
const MAX_PASSAGES = 30;
/** Most definitions of one name. */
const MAX_SAME_NAME = 3;
/** Most symbols whose names have a word. */
const MAX_WITH_WORD = 400;
/** A word that is spelled as names are, not as prose is: `runJob`, `run_job`, `Run`, `a.run`, `run()`. */
const SPELLED = /[\p{Ll}\d]\p{Lu}|_|^\p{Lu}|[.:#/$]|\(\)$/u;
/** What is rarely the subject of a question. */
const MINOR = /^(?:field|constant|variable|rule|section|interface|type)$/;

/** Points that code has before the sections of texts and the keys of data. */
const PROSE = 60;

/** @param path the file or folder to which the symbols belong; "" for any */
export async function candidatesFor(
  db: DatabaseSync,
  { query, path, root }: { query: string; path: string; root: string },
): Promise<Candidates> {
  const isBelow = (symbol: FoundSymbol) =>
    path === "" || symbol.path === path || symbol.path.startsWith(`${path}/`);
  const named = namedIn(db, query).filter(isBelow);
  const words = wordsOf(query);
  const rest = words.length > 1 || named.length === 0 ? await withWords(db, { words, root }) : [];
  const all = new Map([...named, ...rest.filter(isBelow)].map((s) => [`${s.path}:${s.line}:${s.name}`, s]));
  return { symbols: [...all.values()].slice(0, MAX_SYMBOLS), named: named.length };
}

/** The definitions that a text names, and the top-level ones of the files that it names. */
function namedIn(db: DatabaseSync, query: string): FoundSymbol[] {
  const terms = query
    .trim()
    .split(/[\s,;?!]+/)
    .map((term) => term.replace(/^["'`([{<]+|["'`\]}>.:]+$/g, ""));
  return terms
    .filter((term) => term !== "" && (terms.length <= 2 || SPELLED.test(term)))
    .flatMap((term) => {
      const inFile = db
        .prepare(
          `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND parent = '' ORDER BY symbols.line LIMIT ${MAX_SYMBOLS}`,
        )
        .all(term.replace(/^\.?\//, "")) as unknown as FoundSymbol[];
      if (inFile.length > 0) return inFile;
      const { name, parents } = splitNamePath(term);
      return bestFitting(definitionsOf(db, name), parents).slice(0, MAX_SAME_NAME);
    });
}

/** The definitions with the words of a question in their names and code, the best first. */
async function withWords(
  db: DatabaseSync,
  { words, root }: { words: readonly string[]; root: string },
): Promise<FoundSymbol[]> {
  const found = new Map<string, { symbol: FoundSymbol; points: number }>();
  const add = (symbol: FoundSymbol, points: number) => {
    const key = `${symbol.path}:${symbol.line}:${symbol.name}`;
    const known = found.get(key) ?? { symbol, points: 0 };
    known.points += points;
    found.set(key, known);
  };
  const stems = [...new Set(words.map(stemOf))].filter((stem) => stem.length > 2);
  for (const stem of stems) {
    const rows = symbolsWith(db, stem);
    // A word that many names have says little.
    const weight = 30 / Math.log2(2 + rows.length);
    for (const symbol of rows) {
      const inName = bareName(symbol.name).toLowerCase();
      add(
        symbol,
        inName.includes(stem)
          ? weight * (0.5 + stem.length / Math.max(stem.length, inName.length))
          : weight / 2,
      );
    }
  }
  for (const hit of await passagesWith(db, words, { root, limit: MAX_PASSAGES })) {
    const symbol = around(db, hit.path, hit.line) ?? around(db, hit.path, hit.start_line);
    if (symbol) add(symbol, hit.score / 3);
  }
  const weighed = [...found.values()].map(({ symbol, points }) => ({
    symbol,
    points:
      points -
      (SECONDARY.test(symbol.path) ? 25 : 0) -
      (MINOR.test(symbol.kind) ? 10 : 0) -
      (familyOf(symbol.path) ? 0 : PROSE),
  }));
  weighed.sort((a, b) => b.points - a.points);
  return weighed.slice(0, MAX_SYMBOLS).map(({ symbol }) => symbol);
}

/** The common beginning of the forms of an English word: sessions, evicted, evicting. */
const stemOf = (word: string) => word.toLowerCase().replace(/(?<=\p{L}{4})(?:ies|ing|ed|es|s|e|y)$/u, "");

/** The symbols whose name, container or file has a word. */
function symbolsWith(db: DatabaseSync, stem: string): FoundSymbol[] {
  const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE (instr(lower(bare), :stem) > 0 OR instr(lower(parent), :stem) > 0
    OR instr(lower(files.path), :stem) > 0) AND kind NOT IN ('field', 'rule') AND ${BELOW}
    ORDER BY instr(lower(bare), :stem) = 0, length(bare) LIMIT ${MAX_WITH_WORD}`;
  return db.prepare(sql).all({ stem, path: "" }) as unknown as FoundSymbol[];
}

/** The innermost definition with a line; fields count as their container. */
function around(db: DatabaseSync, path: string, line: number): FoundSymbol | undefined {
  const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
    AND kind <> 'field' ORDER BY end_line - start_line LIMIT 1`;
  return db.prepare(sql).get(path, line, line) as unknown as FoundSymbol | undefined;
}
