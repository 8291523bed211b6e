import type { DatabaseSync } from "node:sqlite";
import { type Freshness, type JobContext, reading } from "../job.ts";
import { prepared } from "../prepared.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import { type PreciseUses, preciseUses } from "./precise-references.ts";
import type { Precision, Reference, ReferencesJob } from "./reference-rows.ts";
import type { ShownUse } from "./shown-places.ts";
import { namePath, SYMBOL_TABLES } from "./symbol-rows.ts";
import { searchUses } from "./uses.ts";

export interface References {
  /** Those of the requested page. */
  references: Reference[];
  total: number;
  /** Number of files with the name, before any limit. */
  files: number;
  /** True if not all of them were read. */
  partial: boolean;
  precision: Precision;
  /** In a `mixed` answer: the first few files with lexical results. */
  lexical_files: string[];
}

const MAX_FILES = 2_000;
const MAX_REFERENCES = 5_000;
/** Number of files that a mixed answer names. */
const MAX_NAMED = 5;

/**
 * Finds the uses of a name: those that a precise index has, and those of every identifier with that name in the files that no precise
 * index describes as they are now. Order: the file of the definition, files that import it, its folder, other files, tests.
 */
export function references(job: ReferencesJob, context: JobContext): Promise<References & Freshness> {
  return reading(
    job,
    async (db, { commit }) => {
      const place = { database: job.database, lexical: db, commit };
      const precise = await PreciseIndex.reading(place, async (index) => {
        const uses = preciseUses(index, job);
        return uses && (await collect(job, db, context, uses));
      });
      return precise ?? collect(job, db, context, undefined);
    },
    job.path,
  );
}

async function collect(
  job: ReferencesJob,
  db: DatabaseSync,
  context: JobContext,
  precise: PreciseUses | undefined,
): Promise<References> {
  const search = searchUses(job, db, precise);
  const isWanted = ({ isDefinition }: { isDefinition: boolean }) => job.include_definitions || !isDefinition;
  const files: FoundFile[] = [];
  const guessed = new Set<string>();
  let done = 0;
  let total = 0;
  for (const path of search.paths.slice(0, MAX_FILES)) {
    if (context.timeUp() || total >= MAX_REFERENCES) break;
    context.progress(done++, search.paths.length);
    const places = search.placesIn(path)?.filter(isWanted);
    const read = places ? undefined : ((await search.usesIn(path))?.uses ?? []);
    if (read && read.length > 0) guessed.add(path);
    const weight = search.nearness(path, read ?? []);
    const uses = read?.filter(isWanted) ?? [];
    const count = places?.length ?? uses.length;
    const part: FoundFile["part"] = async (from, to) =>
      places ? search.shown(path, places.slice(from, to)) : uses.slice(from, to);
    if (count > 0) files.push({ path, weight, count, part });
    total += count;
  }
  files.sort((a, b) => a.weight - b.weight);
  return {
    references: await pageOf(files, job.page ?? { offset: 0, count: total }, referencesIn(db)),
    total,
    files: search.paths.length,
    partial: done < search.paths.length,
    precision: !precise ? "lexical" : guessed.size > 0 ? "mixed" : "precise",
    lexical_files: precise ? [...guessed].slice(0, MAX_NAMED) : [],
  };
}

/** A file with uses. */
interface FoundFile {
  path: string;
  weight: number;
  count: number;
  /** Some of its uses. @returns undefined if the file cannot be read */
  part(from: number, to: number): Promise<ShownUse[] | undefined>;
}

async function pageOf(
  files: readonly FoundFile[],
  { offset, count }: NonNullable<ReferencesJob["page"]>,
  toReferences: ReturnType<typeof referencesIn>,
): Promise<Reference[]> {
  const found: Reference[] = [];
  let before = 0;
  for (const file of files) {
    const from = Math.max(0, offset - before);
    before += file.count;
    if (from >= file.count) continue;
    if (found.length >= count) break;
    const uses = await file.part(from, from + count - found.length);
    if (uses) found.push(...toReferences(file.path, uses));
  }
  return found;
}

/** Adds the enclosing definition to the uses of a file. */
function referencesIn(db: DatabaseSync) {
  const holders = prepared(
    db,
    `SELECT name, parent, start_line, end_line ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
     ORDER BY end_line - start_line`,
  );
  return (path: string, uses: readonly ShownUse[]): Reference[] => {
    const numbers = uses.map(({ line }) => line);
    const range = [Math.max(...numbers), Math.min(...numbers)] as const;
    const known = holders.all(path, ...range) as unknown as Holder[];
    return uses.map(({ isDefinition, ...use }) => {
      const isAround = ({ start_line, end_line }: Holder) => start_line <= use.line && end_line >= use.line;
      const holder = isDefinition ? undefined : known.find(isAround);
      return { path, ...use, within: holder ? namePath(holder) : "" };
    });
  };
}

interface Holder {
  name: string;
  parent: string;
  start_line: number;
  end_line: number;
}
