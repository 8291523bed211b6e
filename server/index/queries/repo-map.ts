import type { DatabaseSync } from "node:sqlite";
import { sizeOfText } from "../../answer-size.ts";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type IndexJob, type JobContext, reading, SECONDARY } from "../job.ts";
import { bareName } from "../names.ts";
import { prepared } from "../prepared.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface RepoMapJob extends IndexJob {
  path: string;
  /** Maximum size of the map, characters. */
  budget: number;
}

export interface RepoMap {
  map: string;
  files: number;
  symbols: number;
  /** Symbols before the limit. */
  of: number;
  /** False if the time was over before the uses of all names were counted. The next call goes on. */
  isComplete: boolean;
}

interface Ranked extends FoundSymbol {
  /** Number of other files with the name. */
  references: number;
}

/** Names that are too common to say what a repository is about. */
const COMMON =
  /^(.{1,2}|get|set|new|run|name|value|test|init|main|error|data|type|options?|args|self|this|result|toString|constructor|__\w+__)$/;
/** A name in a greater part of the files is a word of the language or of its comments, such as `import` or `and`. */
const MOST_FILES = 0.3;
/** In fewer files than this, a name in most of them may be what they are about. */
const FEW_FILES = 50;
/** Most symbols that a map has: as many as fit into the largest budget. */
const MAX_RANKED = 5_000;

/** The last ranking, per state of the index: it takes a lookup for each name. */
let last: { key: string; counts: Map<string, number>; ranked: Ranked[] | undefined } | undefined;

/**
 * The most referenced symbols within the budget, file by file. The weight of a name is the number of files with it, divided by the
 * number of its definitions. Tests, vendored code and private members count a tenth, common words a twentieth, and names of several words
 * tenfold.
 */
export function repoMap(job: RepoMapJob, context: JobContext): Promise<RepoMap & Freshness> {
  return reading(
    job,
    (db) => {
      const meta = db.prepare("SELECT value FROM meta WHERE key = 'index'").get();
      const key = `${job.database}\0${job.path}\0${meta?.value}`;
      if (last?.key !== key) last = { key, counts: new Map(), ranked: undefined };
      const symbols = last.ranked ? [] : namesBelow(db, job.path);
      const isComplete = last.ranked !== undefined || count(db, symbols, last.counts, context);
      const ranked = last.ranked ?? ranking(db, symbols, last.counts);
      if (isComplete) last.ranked = ranked;
      const of = Number(prepared(db, `SELECT count(*) AS n ${SYMBOLS}`).get({ path: job.path })?.n);
      return { ...render(ranked, job.budget), of, isComplete };
    },
    job.path,
  );
}

const SYMBOLS = `${SYMBOL_TABLES} WHERE kind NOT IN ('field', 'rule', 'section') AND ${BELOW}`;

interface Named {
  id: number;
  name: string;
  isSecondary: boolean;
}

/** Only what the ranking needs: a repository may have 100,000 symbols. */
function namesBelow(db: DatabaseSync, path: string): Named[] {
  const secondary = new Map<number, boolean>();
  for (const row of db.prepare("SELECT id, path FROM files").iterate())
    secondary.set(Number(row.id), SECONDARY.test(String(row.path)));
  return prepared(db, `SELECT symbols.id, name, file ${SYMBOLS} ORDER BY files.path, symbols.line`)
    .all({ path })
    .map(({ id, name, file }) => {
      return { id: Number(id), name: String(name), isSecondary: secondary.get(Number(file)) === true };
    });
}

/** Counts the files with each name, until the time is over. @returns whether all were counted */
function count(
  db: DatabaseSync,
  symbols: readonly Named[],
  counts: Map<string, number>,
  context: JobContext,
): boolean {
  const names = new Set(symbols.map(({ name }) => name));
  for (const name of names) {
    if (counts.has(name)) continue;
    if (counts.size % 100 === 0) {
      if (context.timeUp()) return false;
      context.progress(counts.size, names.size);
    }
    const term = encodeWord(bareName(name)).toLowerCase();
    const found = prepared(db, "SELECT doc FROM words_vocab WHERE term = ?").get(term);
    counts.set(name, Math.max(0, Number(found?.doc ?? 0) - 1));
  }
  return true;
}

/** How much the places of a name say about its symbol. Aider's map of a repository weighs names in the same way. */
function telling(name: string): number {
  const bare = bareName(name);
  if (COMMON.test(bare)) return 0.05;
  // A private member has no uses in other files.
  if (/^[#_]/.test(name)) return 0.1;
  // Of several words, so no word of a comment.
  return name.length >= 8 && /\p{Ll}\p{Lu}|\p{L}[_-]\p{L}/u.test(bare) ? 10 : 1;
}

/** The symbols of the greatest weight, the greatest first. */
function ranking(db: DatabaseSync, symbols: readonly Named[], counts: ReadonlyMap<string, number>): Ranked[] {
  const files = Number(prepared(db, "SELECT count(*) AS n FROM files").get()?.n);
  const most = files < FEW_FILES ? files : files * MOST_FILES;
  const definitions = new Map<string, number>();
  for (const { name } of symbols) definitions.set(name, (definitions.get(name) ?? 0) + 1);
  const weighed = symbols.map(({ id, name, isSecondary }) => {
    const references = counts.get(name) ?? 0;
    const share = references / (definitions.get(name) ?? 1);
    const factor = (isSecondary ? 0.1 : 1) * (references > most ? 0.05 : 1) * telling(name);
    return { id, references, weight: share * factor };
  });
  const best = weighed.sort((a, b) => b.weight - a.weight).slice(0, MAX_RANKED);
  const symbol = prepared(db, `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE symbols.id = ?`);
  return best.map(({ id, references }) => ({
    ...(symbol.get(id) as unknown as FoundSymbol),
    references,
  }));
}

function render(ranked: readonly Ranked[], budget: number): Omit<RepoMap, "of" | "isComplete"> {
  const byFile = new Map<string, Ranked[]>();
  let left = budget;
  let symbols = 0;
  for (const symbol of ranked) {
    const known = byFile.get(symbol.path);
    const cost = sizeOfText(known ? entry(symbol) : `${symbol.path}:\n${entry(symbol)}`);
    if (cost > left) break;
    left -= cost;
    symbols++;
    if (known) known.push(symbol);
    else byFile.set(symbol.path, [symbol]);
  }
  // Files in the order of their best symbol, symbols by line.
  const map = [...byFile]
    .map(
      ([path, list]) =>
        `${path}:\n${list
          .sort((a, b) => a.line - b.line)
          .map(entry)
          .join("")}`,
    )
    .join("");
  return { map, files: byFile.size, symbols };
}

function entry({ line, signature, references }: Ranked): string {
  return `  ${line}: ${signature}  (${references} files)\n`;
}
