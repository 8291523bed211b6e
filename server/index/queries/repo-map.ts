import type { DatabaseSync } from "node:sqlite";
import { sizeOfText } from "../../answer-size.ts";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type IndexJob, type JobContext, reading, SECONDARY } from "../job.ts";
import { bareName } from "../names.ts";
import type { FoundSymbol } from "./find-symbol.ts";

export interface RepoMapJob extends IndexJob {
  path: string;
  /** Characters that the map may have. */
  budget: number;
}

export interface RepoMap {
  map: string;
  files: number;
  symbols: number;
  /** Symbols that the ranking chose from. */
  of: number;
}

interface Ranked extends FoundSymbol {
  /** Files that hold the name, shared among all that bear it. */
  weight: number;
  references: number;
}

/** Names that stand for too many things to say what a repository is about. */
const COMMON =
  /^(.{1,2}|get|set|new|run|name|value|test|init|main|error|data|type|options?|args|self|this|result|toString|constructor|__\w+__)$/;
/** Per index state: the ranking costs a look-up for each name. */
let last: { key: string; ranked: Ranked[] } | undefined;

/**
 * The most referenced symbols, file by file, as far as the budget reaches. A name's weight is the number of files that hold it, divided
 * among its definitions; tests and vendored code count a tenth.
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
      `SELECT files.path, name, kind, parent, start_line, symbols.line, col AS column, end_line, signature
       FROM symbols JOIN files ON files.id = symbols.file WHERE kind NOT IN ('field', 'rule') AND ${BELOW} ORDER BY files.path, symbols.line`,
    )
    .all({ path }) as unknown as FoundSymbol[];
  const bearers = new Map<string, number>();
  for (const { name } of symbols) bearers.set(name, (bearers.get(name) ?? 0) + 1);
  const files = db.prepare("SELECT doc FROM words_vocab WHERE term = ?");
  const counts = new Map<string, number>();
  for (const name of bearers.keys()) {
    if (counts.size % 500 === 0 && context.timeUp()) break;
    const term = encodeWord(bareName(name)).toLowerCase();
    counts.set(name, Math.max(0, Number(files.get(term)?.doc ?? 0) - 1));
  }
  return symbols
    .map((symbol) => {
      const references = counts.get(symbol.name) ?? 0;
      const share = references / (bearers.get(symbol.name) ?? 1);
      const doubt = (SECONDARY.test(symbol.path) ? 0.1 : 1) * (COMMON.test(symbol.name) ? 0.05 : 1);
      return { ...symbol, references, weight: share * doubt };
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
  // Files in the order of their best symbol; inside of a file by line, as one reads.
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
