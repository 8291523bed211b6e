import type { DatabaseSync } from "node:sqlite";
import { clip } from "../../clip.ts";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type JobContext, reading, SECONDARY } from "../job.ts";
import { bareName, fitOf } from "../names.ts";
import type { Role } from "../occurrences.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { lexicalUses } from "./lexical-references.ts";
import { folderOf } from "./paths.ts";
import { type PreciseUses, preciseUses } from "./precise-references.ts";
import type { FoundUse, Precision, Reference, ReferencesJob } from "./reference-rows.ts";
import { type FoundSymbol, namePath, SYMBOL_TABLES } from "./symbol-rows.ts";

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
  const reader = new TreeReader(job.root);
  const definitions = definitionsOf(db, job.name);
  const homes =
    precise?.homes ?? (job.defined_in === undefined ? homesOf(definitions, job.parents) : [job.defined_in]);
  const described = new Set(precise?.paths);
  const unknown = filesWith(db, job.name, job.path).filter(
    (path) => !described.has(path) && !precise?.covers(path),
  );
  const all = [...described, ...unknown];
  const lexical = lexicalUses(db, job, definitions);
  const toReference = referencesIn(db);
  const found: { weight: number; reference: Reference }[] = [];
  const guessed = new Set<string>();
  let done = 0;
  for (const path of nearestFirst(all, homes).slice(0, MAX_FILES)) {
    if (context.timeUp() || found.length >= MAX_REFERENCES) break;
    context.progress(done++, all.length);
    const text = await reader.read(path);
    if (text === undefined) continue;
    const isPrecise = described.has(path);
    const uses = isPrecise && precise ? await precise.usesIn(path, reader) : await lexical(path, text);
    if (!isPrecise && uses.length > 0) guessed.add(path);
    const weight = nearness(path, homes, uses);
    for (const reference of toReference(path, text, uses))
      if (job.include_definitions || reference.role !== "definition") found.push({ weight, reference });
  }
  found.sort((a, b) => a.weight - b.weight);
  return {
    references: found.map((f) => f.reference),
    files: all.length,
    partial: done < all.length,
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

/** The files of the definitions that fit the qualifiers best. */
function homesOf(definitions: readonly FoundSymbol[], parents: readonly string[]): string[] {
  const fits = definitions.map((d) => fitOf(parents, { ...d, package: "" }));
  const best = Math.max(0, ...fits);
  return definitions.filter((_, n) => fits[n] === best).map((d) => d.path);
}

/** The files with every identifier of a name (`Get-Item` has two), by path. */
export function filesWith(db: DatabaseSync, name: string, path: string): string[] {
  const bare = bareName(name);
  const identifiers = (/^operator(?![\p{L}\p{N}_])/u.test(bare) ? "operator" : bare).match(
    /[\p{L}_][\p{L}\p{N}_$]*/gu,
  );
  if (!identifiers) return [];
  const word = identifiers
    .map(encodeWord)
    .map((w) => `("${w}" OR "$${w}")`)
    .join(" AND ");
  const sql = `SELECT files.path FROM words JOIN files ON files.id = words.rowid WHERE words MATCH :word AND ${BELOW} ORDER BY files.path`;
  return db
    .prepare(sql)
    .all({ word, path })
    .map((row) => String(row.path));
}

function nearestFirst(paths: readonly string[], homes: readonly string[]): string[] {
  return paths
    .map((path) => ({ path, weight: nearness(path, homes, []) }))
    .sort((a, b) => a.weight - b.weight)
    .map((p) => p.path);
}

function nearness(path: string, homes: readonly string[], places: readonly { role: Role }[]): number {
  if (homes.includes(path)) return 0;
  const late = SECONDARY.test(path) ? 4 : 0;
  if (places.some((p) => p.role === "import")) return 1 + late;
  return (homes.some((home) => folderOf(home) === folderOf(path)) ? 2 : 3) + late;
}
