import type { DatabaseSync } from "node:sqlite";
import { clip } from "../../clip.ts";
import { type Freshness, type JobContext, reading } from "../job.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import { type PreciseUses, preciseUses } from "./precise-references.ts";
import type { FoundUse, Precision, Reference, ReferencesJob } from "./reference-rows.ts";
import { namePath, SYMBOL_TABLES } from "./symbol-rows.ts";
import { nearness, searchUses } from "./uses.ts";

export interface References {
  references: Reference[];
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
const MAX_LINE = 240;
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
  const toReference = referencesIn(db);
  const found: { weight: number; reference: Reference }[] = [];
  const guessed = new Set<string>();
  let done = 0;
  for (const path of search.paths.slice(0, MAX_FILES)) {
    if (context.timeUp() || found.length >= MAX_REFERENCES) break;
    context.progress(done++, search.paths.length);
    const file = await search.usesIn(path);
    if (!file) continue;
    const { text, uses, isPrecise } = file;
    if (!isPrecise && uses.length > 0) guessed.add(path);
    const weight = nearness(path, search.homes, uses);
    for (const reference of toReference(path, text, uses))
      if (job.include_definitions || reference.role !== "definition") found.push({ weight, reference });
  }
  found.sort((a, b) => a.weight - b.weight);
  return {
    references: found.map((f) => f.reference),
    files: search.paths.length,
    partial: done < search.paths.length,
    precision: !precise ? "lexical" : guessed.size > 0 ? "mixed" : "precise",
    lexical_files: precise ? [...guessed].slice(0, MAX_NAMED) : [],
  };
}

/** Adds the line and the enclosing definition to the uses of a file. */
function referencesIn(db: DatabaseSync) {
  const within = db.prepare(
    `SELECT name, parent ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
     ORDER BY end_line - start_line LIMIT 1`,
  );
  return (path: string, text: string, uses: readonly FoundUse[]): Reference[] => {
    const lines = text.split("\n");
    return uses.map(({ line, column, role, isDefinition }) => {
      const holder = within.get(path, line, line) as { parent: string; name: string } | undefined;
      return {
        path,
        line,
        column,
        role,
        text: clip((lines[line - 1] ?? "").trim(), MAX_LINE),
        within: holder && !isDefinition ? namePath(holder) : "",
      };
    });
  };
}
