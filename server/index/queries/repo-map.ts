import type { DatabaseSync } from "node:sqlite";
import { sizeOfText } from "../../answer-size.ts";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type IndexJob, type JobContext, reading, SECONDARY } from "../job.ts";
import { bareName } from "../names.ts";
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
}

interface Ranked extends FoundSymbol {
  /** Number of files with the name, divided by the number of its definitions. */
  weight: number;
  references: number;
}

/** Names that are too common to say what a repository is about. */
const COMMON =
  /^(.{1,2}|get|set|new|run|name|value|test|init|main|error|data|type|options?|args|self|this|result|toString|constructor|__\w+__)$/;
/** The last ranking, per state of the index: it takes a lookup for each name. */
let last: { key: string; ranked: Ranked[] } | undefined;

/**
 * The most referenced symbols within the budget, file by file. The weight of a name is the number of files with it, divided by the
 * number of its definitions. Tests and vendored code count a tenth.
 */
export function repoMap(job: RepoMapJob, context: JobContext): Promise<RepoMap & Freshness> {
  return reading(
    job,
    (db) => {
      const meta = db.prepare("SELECT value FROM meta WHERE key = 'index'").get();
      const key = `${job.database}\0${job.path}\0${meta?.value}`;
      if (last?.key !== key) last = { key, ranked: ranking(db, job.path, context) };
      return { ...render(last.ranked, job.budget), of: last.ranked.length };
    },
    job.path,
  );
}

function ranking(db: DatabaseSync, path: string, context: JobContext): Ranked[] {
  const symbols = db
    .prepare(
      `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE kind NOT IN ('field', 'rule', 'section') AND ${BELOW} ORDER BY files.path, symbols.line`,
    )
    .all({ path }) as unknown as FoundSymbol[];
  const definitions = new Map<string, number>();
  for (const { name } of symbols) definitions.set(name, (definitions.get(name) ?? 0) + 1);
  const files = db.prepare("SELECT doc FROM words_vocab WHERE term = ?");
  const counts = new Map<string, number>();
  for (const name of definitions.keys()) {
    if (counts.size % 500 === 0) {
      if (context.timeUp()) break;
      context.progress(counts.size, definitions.size);
    }
    const term = encodeWord(bareName(name)).toLowerCase();
    counts.set(name, Math.max(0, Number(files.get(term)?.doc ?? 0) - 1));
  }
  return symbols
    .map((symbol) => {
      const references = counts.get(symbol.name) ?? 0;
      const share = references / (definitions.get(symbol.name) ?? 1);
      const factor = (SECONDARY.test(symbol.path) ? 0.1 : 1) * (COMMON.test(symbol.name) ? 0.05 : 1);
      return { ...symbol, references, weight: share * factor };
    })
    .sort((a, b) => b.weight - a.weight);
}

function render(ranked: readonly Ranked[], budget: number): Omit<RepoMap, "of"> {
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
