import type { DatabaseSync } from "node:sqlite";
import { type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { namePath } from "./symbol-rows.ts";

export interface SearchJob extends IndexJob {
  query: string;
  limit: number;
}

export interface SearchHit {
  path: string;
  start_line: number;
  end_line: number;
  /** A line that identifies the passage. */
  title: string;
  /** Higher is better; comparable between repositories. */
  score: number;
}

const MAX_WORDS = 12;
const STOP = new Set(
  "a an and are as at be by can do does for from how i in is it of on or that the this to was what when where which who why with".split(
    " ",
  ),
);

/** Symbols named like the words of a query, and passages with most of the words (BM25 over trigrams). */
export function search(job: SearchJob): Promise<{ hits: SearchHit[] } & Freshness> {
  return reading(job, async (db) => {
    const words = wordsOf(job.query);
    const texts = await passagesWith(db, words, job);
    const passages = texts.map(({ line: _, ...hit }) => hit);
    const hits = [...symbolHits(db, words), ...passages].sort((a, b) => b.score - a.score);
    return { hits: withoutOverlap(hits).slice(0, job.limit) };
  });
}

/** Letters of languages that have no blanks between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const segmenter = new Intl.Segmenter("und", { granularity: "word" });

/** The words of a query, without stop words unless it has no others. */
export function wordsOf(query: string): string[] {
  const found = query.normalize().match(/[\p{L}\p{M}\p{N}_$][\p{L}\p{M}\p{N}_$.:/-]*/gu) ?? [];
  const split = found.flatMap((word) =>
    UNSPACED.test(word) ? [...segmenter.segment(word)].map(({ segment }) => segment) : [word],
  );
  const all = [...new Set(split)].map((w) => w.replace(/[.:/-]+$/, "")).filter((word) => word !== "");
  const significant = all.filter(
    (word) => word.length > (UNSPACED.test(word) ? 1 : 2) && !STOP.has(word.toLowerCase()),
  );
  return (significant.length > 0 ? significant : all).slice(0, MAX_WORDS);
}

function symbolHits(db: DatabaseSync, words: readonly string[]): SearchHit[] {
  return words.flatMap((word) => {
    const parts = word.split(/[.:/]+/);
    return definitionsOf(db, parts.at(-1) ?? word)
      .slice(0, 5)
      .map((symbol, n) => ({
        path: symbol.path,
        start_line: symbol.start_line,
        end_line: symbol.end_line,
        title: `${symbol.kind} ${namePath(symbol)}`,
        score: 100 - n - (SECONDARY.test(symbol.path) ? 60 : 0) + (/[A-Z_\d]/.test(word) ? 20 : 0),
      }));
  });
}

/** Passages with most of the words (BM25), each with the line that has most of them. */
export async function passagesWith(
  db: DatabaseSync,
  words: readonly string[],
  job: Pick<SearchJob, "root" | "limit">,
): Promise<(SearchHit & { line: number })[]> {
  const byTerm = new Map(words.map((word) => [word, trigramsFor(db, word)]));
  const terms = words.filter((word) => byTerm.get(word)?.length);
  if (terms.length === 0) return [];
  const match = terms
    .flatMap((term) => byTerm.get(term) ?? [])
    .map((text) => `"${text.replaceAll('"', '""')}"`)
    .join(" OR ");
  const rows = db
    .prepare(
      `SELECT files.path, start_line, end_line, found.rank AS rank
       FROM (SELECT rowid, rank FROM chunks_text WHERE chunks_text MATCH ? ORDER BY rank LIMIT ?) AS found
       JOIN chunks ON chunks.id = found.rowid JOIN files ON files.id = chunks.file ORDER BY found.rank`,
    )
    .all(match, job.limit * 3);
  const reader = new TreeReader(job.root);
  const hits: (SearchHit & { line: number })[] = [];
  for (const row of rows) {
    const path = String(row.path);
    const lines = ((await reader.read(path)) ?? "")
      .split("\n")
      .slice(Number(row.start_line) - 1, Number(row.end_line));
    const best = bestLine(lines, terms);
    if (!best) continue;
    const score =
      60 * (best.held / terms.length) + Math.min(20, -Number(row.rank)) - (SECONDARY.test(path) ? 15 : 0);
    hits.push({
      path,
      start_line: Number(row.start_line),
      end_line: Number(row.end_line),
      title: best.text,
      line: Number(row.start_line) + best.at,
      score,
    });
  }
  return hits;
}

/** Most trigrams that begin with a word of two characters. */
const MAX_TRIGRAMS = 100;

/**
 * What finds a word in the index, whose smallest terms have three characters. Most words of Chinese have two: those are found by the
 * terms that begin with them.
 */
function trigramsFor(db: DatabaseSync, word: string): string[] {
  if (word.length >= 3) return [word];
  if (word.length < 2 || !UNSPACED.test(word)) return [];
  db.exec(
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.chunk_terms USING fts5vocab('main', 'chunks_text', 'row')",
  );
  return db
    .prepare("SELECT term FROM temp.chunk_terms WHERE term >= ? AND term < ? LIMIT ?")
    .all(word, `${word}\u{10FFFF}`, MAX_TRIGRAMS)
    .map((row) => String(row.term));
}

function bestLine(
  lines: readonly string[],
  terms: readonly string[],
): { text: string; at: number; held: number } | undefined {
  const lower = terms.map((term) => term.toLowerCase());
  const whole = lines.join("\n").toLowerCase();
  const held = lower.filter((term) => whole.includes(term)).length;
  if (held === 0) return undefined;
  const scored = lines.map((line, at) => ({
    line,
    at,
    n: lower.filter((term) => line.toLowerCase().includes(term)).length,
  }));
  const best = scored.reduce((a, b) => (b.n > a.n ? b : a), { line: "", at: 0, n: 0 });
  return { text: best.line.trim().slice(0, 120), at: best.at, held };
}

function withoutOverlap(hits: readonly SearchHit[]): SearchHit[] {
  const kept: SearchHit[] = [];
  for (const hit of hits)
    if (
      !kept.some((k) => k.path === hit.path && k.start_line <= hit.end_line && hit.start_line <= k.end_line)
    )
      kept.push(hit);
  return kept;
}
