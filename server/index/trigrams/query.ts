import type { DatabaseSync } from "node:sqlite";
import { postingKey, SEGMENTS } from "./posting-writer.ts";
import { concatenation, decodeIds, intersection, union } from "./postings.ts";
import { trigramsOf } from "./symbols.ts";

/** Which files can match. `any`: all of them. */
export type TrigramQuery =
  | { readonly type: "any" }
  | { readonly type: "and"; readonly trigrams: readonly number[]; readonly parts: readonly TrigramQuery[] }
  | { readonly type: "or"; readonly parts: readonly TrigramQuery[] };

export const ANY: TrigramQuery = { type: "any" };
/** Few files are sooner read than told from each other by more trigrams. */
const FEW = 4;

/** Files with a text. */
export function holds(text: string): TrigramQuery {
  const trigrams = trigramsOf(text);
  return trigrams.length === 0 ? ANY : { type: "and", trigrams, parts: [] };
}

/** Files that all parts allow. */
export function and(parts: readonly TrigramQuery[]): TrigramQuery {
  const narrow = parts.filter(({ type }) => type !== "any");
  if (narrow.length <= 1) return narrow[0] ?? ANY;
  const trigrams = [...new Set(narrow.flatMap((part) => (part.type === "and" ? part.trigrams : [])))];
  const others = narrow.flatMap((part) => (part.type === "and" ? part.parts : [part]));
  return { type: "and", trigrams, parts: others };
}

/** Files that some part allows. */
export function or(parts: readonly TrigramQuery[]): TrigramQuery {
  if (parts.length === 1 && parts[0]) return parts[0];
  return parts.some(({ type }) => type === "any") ? ANY : { type: "or", parts };
}

/** Finds files by the table `trigrams`. */
export class TrigramReader {
  readonly #rows;

  constructor(db: DatabaseSync) {
    this.#rows = db.prepare("SELECT ids FROM main.trigrams WHERE key BETWEEN ? AND ?");
  }

  /** @returns ids, ascending, removed files among them; undefined for all files */
  find(query: TrigramQuery): Uint32Array | undefined {
    if (query.type === "any") return undefined;
    if (query.type === "or") {
      const lists = query.parts.map((part) => this.find(part));
      return lists.some((list) => list === undefined) ? undefined : union(lists as Uint32Array[]);
    }
    let found = this.#withAll(query.trigrams);
    for (const part of query.parts) {
      if (found !== undefined && found.length <= FEW) break;
      const ids = this.find(part);
      if (ids) found = found ? intersection(found, ids) : ids;
    }
    return found;
  }

  #withAll(trigrams: readonly number[]): Uint32Array | undefined {
    if (trigrams.length === 0) return undefined;
    const lists = trigrams.map((trigram) => {
      const rows = this.#rows.all(postingKey(trigram, 0), postingKey(trigram, SEGMENTS - 1));
      const segments = rows.map((row) => row.ids as Uint8Array);
      return { segments, bytes: segments.reduce((sum, { length }) => sum + length, 0) };
    });
    // The rarest first.
    lists.sort((a, b) => a.bytes - b.bytes);
    let found: Uint32Array | undefined;
    for (const { segments } of lists) {
      if (found !== undefined && found.length <= FEW) break;
      // Ids only grow, so those of a later segment are larger.
      const ids = concatenation(segments.map(decodeIds));
      found = found ? intersection(found, ids) : ids;
    }
    return found;
  }
}
