import { clip } from "../../clip.ts";
import { WeightedCache } from "../../weighted-cache.ts";
import { languageOf } from "../languages.ts";
import { linesAt } from "../lines-at.ts";
import { type Role, rolesOf } from "../occurrences.ts";
import type { Place } from "../scip/occurrence-list.ts";
import { toUtf16 } from "../scip/precise-index.ts";
import type { TreeReader } from "../work-tree.ts";
import type { PreciseFile } from "./precise-references.ts";
import type { FoundUse } from "./reference-rows.ts";

/** A use with its line, without the indentation. */
export interface ShownUse extends FoundUse {
  text: string;
}

/** What the text of a file tells about a place. */
interface Kept {
  line: number;
  column: number;
  role: Role;
  text: string;
}

const MAX_LINE = 240;
/** What one thread keeps: pages of an answer, calls that are repeated, and other names in the same files. Bytes. */
const MAX_KEPT = 8 * 1024 * 1024;
/** Approximate sizes of an entry and of a place without its text. Bytes. */
const KEPT_ENTRY = 300;
const KEPT_PLACE = 150;
/** A file of 1 MiB has no longer line. */
const LONGEST_LINE = 2 ** 21;

const kept = new WeightedCache<string, { state: string; places: Map<number, Kept> }>(MAX_KEPT);

/**
 * Adds roles and lines to places of a precise index, in their order. A file that has not changed is read and parsed only for places that are
 * new.
 *
 * @returns undefined if the file cannot be read
 */
export async function shownPlaces(
  reader: TreeReader,
  path: string,
  { unit, places }: PreciseFile,
): Promise<ShownUse[] | undefined> {
  const key = `${unit}\0${reader.root}\0${path}`;
  // Before the file is read: if it changes in between, the next call notices.
  const state = reader.stateSync(path);
  const before = kept.get(key);
  const known = before && before.state === state ? before.places : new Map<number, Kept>();
  const missing = places.filter((place) => !known.has(numberOf(place)));
  if (missing.length > 0) {
    const text = reader.readSync(path);
    if (text === undefined) return undefined;
    const found = await readPlaces(path, text, { unit, places: missing });
    for (const [n, place] of missing.entries()) known.set(numberOf(place), found[n] as Kept);
    if (state !== undefined) kept.set(key, { state, places: known }, weightOf(known));
  }
  return places.map((place) => {
    const { line, column, role, text } = known.get(numberOf(place)) as Kept;
    const { isDefinition } = place;
    return { line, column, role: isDefinition ? "definition" : role, text, isDefinition };
  });
}

const numberOf = ({ line, column }: Place) => line * LONGEST_LINE + column;

const weightOf = (places: ReadonlyMap<number, Kept>) =>
  [...places.values()].reduce((sum, { text }) => sum + KEPT_PLACE + text.length, KEPT_ENTRY);

async function readPlaces(path: string, text: string, { unit, places }: PreciseFile): Promise<Kept[]> {
  const lines = linesAt(
    text,
    places.map(({ line }) => line + 1),
  );
  const found = places.map(({ line, column }) => {
    const whole = lines.get(line + 1) ?? "";
    return { line: line + 1, column: toUtf16(whole, column, unit) + 1, text: shownLine(whole) };
  });
  const roles = await rolesOf(text, languageOf(path), found);
  return found.map((place, n) => ({ ...place, role: roles[n] ?? "use" }));
}

export const shownLine = (line: string) => clip(line.trim(), MAX_LINE);
