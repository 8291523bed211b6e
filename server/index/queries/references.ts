import type { DatabaseSync } from "node:sqlite";
import { encodeWord } from "../database.ts";
import { BELOW, type Freshness, type IndexJob, type JobContext, reading, SECONDARY } from "../job.ts";
import { languageOf } from "../languages.ts";
import { bareName, fitOf } from "../names.ts";
import { type Occurrence, occurrencesOf, type Role } from "../occurrences.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf, type FoundSymbol } from "./find-symbol.ts";

export interface Reference {
  path: string;
  line: number;
  column: number;
  role: Role;
  /** The line, without its indentation. */
  text: string;
  /** The innermost definition that it lies in, as a name path; "" at the top of the file. */
  within: string;
}

export interface ReferencesJob extends IndexJob {
  /** The last part of the name path, its sigil included. */
  name: string;
  /** The parts before it: the definitions that they fit best are meant. */
  parents: readonly string[];
  path: string;
  /** The file whose definition is meant, when there are several. */
  defined_in: string | undefined;
  include_definitions: boolean;
}

export interface References {
  references: Reference[];
  /** Files that hold the name, before any limit. */
  files: number;
  /** True when not all of them were read. */
  partial: boolean;
}

const MAX_FILES = 2_000;
const MAX_REFERENCES = 5_000;
const MAX_LINE = 240;

/**
 * Where a name is used. Lexical: every identifier of that name counts; the likeliest come first: in the file of the definition, in files
 * that import it, in its folder, then elsewhere, tests last.
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
        `SELECT name, parent FROM symbols JOIN files ON files.id = symbols.file WHERE files.path = ? AND start_line <= ? AND end_line >= ?
       ORDER BY end_line - start_line LIMIT 1`,
      );
      const found: { weight: number; reference: Reference }[] = [];
      let done = 0;
      for (const path of nearestFirst(all, homes).slice(0, MAX_FILES)) {
        if (context.timeUp() || found.length >= MAX_REFERENCES) break;
        done++;
        const text = await reader.read(path);
        if (text === undefined) continue;
        const lines = text.split("\n");
        const places = await occurrencesOf(text, languageOf(path), job.name);
        const weight = nearness(path, homes, places);
        for (const { line, column, role } of places) {
          const isDefinition = defined.has(`${path}:${line}:${column}`);
          if (isDefinition && !job.include_definitions) continue;
          const holder = within.get(path, line, line);
          const reference: Reference = {
            path,
            line,
            column,
            role: isDefinition ? "definition" : role,
            text: clip(lines[line - 1] ?? ""),
            within: holder && !isDefinition ? [holder.parent, holder.name].filter(Boolean).join("/") : "",
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

/** The files of the definitions that are meant. */
function homesOf(definitions: readonly FoundSymbol[], parents: readonly string[]): string[] {
  const fits = definitions.map((d) => fitOf(parents, { ...d, package: "" }));
  const best = Math.max(0, ...fits);
  return definitions.filter((_, n) => fits[n] === best).map((d) => d.path);
}

/** Where the bare name begins in a spelled one. */
const bareStart = (name: string) => Math.max(0, name.indexOf(bareName(name)));

/** The files that hold every identifier of a name (`Get-Item` has two), by path. */
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

function clip(line: string): string {
  const trimmed = line.trim();
  return trimmed.length <= MAX_LINE ? trimmed : `${trimmed.slice(0, MAX_LINE - 1)}…`;
}
