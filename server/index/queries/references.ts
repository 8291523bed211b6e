import type { DatabaseSync } from "node:sqlite";
import { clip } from "../../clip.ts";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type IndexJob, type JobContext, reading, SECONDARY } from "../job.ts";
import { languageOf } from "../languages.ts";
import { bareName, fitOf } from "../names.ts";
import { type Occurrence, occurrencesOf, type Role } from "../occurrences.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { type FoundSymbol, namePath, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface Reference {
  path: string;
  line: number;
  column: number;
  role: Role;
  /** The line, without its indentation. */
  text: string;
  /** The innermost enclosing definition as a name path; "" at the top level. */
  within: string;
}

export interface ReferencesJob extends IndexJob {
  /** The last part of the name path, its sigil included. */
  name: string;
  /** The qualifiers before it. The definitions that they fit best count. */
  parents: readonly string[];
  path: string;
  /** The file with the definition, if there are several. */
  defined_in: string | undefined;
  include_definitions: boolean;
}

export interface References {
  references: Reference[];
  /** Number of files with the name, before any limit. */
  files: number;
  /** True if not all of them were read. */
  partial: boolean;
}

const MAX_FILES = 2_000;
const MAX_REFERENCES = 5_000;
const MAX_LINE = 240;

/**
 * Finds the uses of a name. Lexical: every identifier with that name counts. Order: the file of the definition, files that import it,
 * its folder, other files, tests.
 */
export function references(job: ReferencesJob, context: JobContext): Promise<References & Freshness> {
  return reading(
    job,
    async (db) => {
      const reader = new TreeReader(job.root);
      const all = filesWith(db, job.name, job.path);
      const definitions = definitionsOf(db, job.name);
      const homes = job.defined_in === undefined ? homesOf(definitions, job.parents) : [job.defined_in];
      const defined = new Set(definitions.map((d) => `${d.path}:${d.line}:${d.column + bareStart(d.name)}`));
      const within = db.prepare(
        `SELECT name, parent ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
       ORDER BY end_line - start_line LIMIT 1`,
      );
      const found: { weight: number; reference: Reference }[] = [];
      let done = 0;
      for (const path of nearestFirst(all, homes).slice(0, MAX_FILES)) {
        if (context.timeUp() || found.length >= MAX_REFERENCES) break;
        context.progress(done++, all.length);
        const text = await reader.read(path);
        if (text === undefined) continue;
        const lines = text.split("\n");
        const places = await occurrencesOf(text, languageOf(path), job.name);
        const weight = nearness(path, homes, places);
        for (const { line, column, role } of places) {
          const isDefinition = defined.has(`${path}:${line}:${column}`);
          if (isDefinition && !job.include_definitions) continue;
          const holder = within.get(path, line, line) as { parent: string; name: string } | undefined;
          const reference: Reference = {
            path,
            line,
            column,
            role: isDefinition ? "definition" : role,
            text: clip((lines[line - 1] ?? "").trim(), MAX_LINE),
            within: holder && !isDefinition ? namePath(holder) : "",
          };
          found.push({ weight, reference });
        }
      }
      found.sort((a, b) => a.weight - b.weight);
      return { references: found.map((f) => f.reference), files: all.length, partial: done < all.length };
    },
    job.path,
  );
}

/** The files of the definitions that fit the qualifiers best. */
function homesOf(definitions: readonly FoundSymbol[], parents: readonly string[]): string[] {
  const fits = definitions.map((d) => fitOf(parents, { ...d, package: "" }));
  const best = Math.max(0, ...fits);
  return definitions.filter((_, n) => fits[n] === best).map((d) => d.path);
}

/** Index of the bare name in the spelled one. */
const bareStart = (name: string) => Math.max(0, name.indexOf(bareName(name)));

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

function nearestFirst(paths: string[], homes: string[]): string[] {
  return paths
    .map((path) => ({ path, weight: nearness(path, homes, []) }))
    .sort((a, b) => a.weight - b.weight)
    .map((p) => p.path);
}

function nearness(path: string, homes: readonly string[], places: readonly Occurrence[]): number {
  if (homes.includes(path)) return 0;
  const late = SECONDARY.test(path) ? 4 : 0;
  if (places.some((p) => p.role === "import")) return 1 + late;
  return (homes.some((home) => folderOf(home) === folderOf(path)) ? 2 : 3) + late;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
