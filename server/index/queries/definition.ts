import type { DatabaseSync } from "node:sqlite";
import { type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import { familyOf, languageOf } from "../languages.ts";
import { type NameAt, nameAt, wordAt } from "../name-at.ts";
import { bareName, fitOf, type RequestedName, splitNamePath } from "../names.ts";
import { wordPlaces } from "../occurrences.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import type { UseContext } from "../use-context.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { importsOf } from "./imports.ts";
import { lexicalTargets } from "./lexical-targets.ts";
import { folderOf } from "./paths.ts";
import { preciseDefinition } from "./precise-definition.ts";
import type { Precision } from "./reference-rows.ts";
import { type FoundSymbol, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface DefinitionJob extends IndexJob {
  path: string;
  line: number;
  column: number | undefined;
  /** Instead of a column: a name, optionally qualified, whose last part is on the line. */
  symbol: string | undefined;
}

export const REASONS = [
  "precise index",
  "local scope",
  "imported from",
  "same file",
  "same folder",
  "same language",
  "name only",
] as const;

export interface Definition extends FoundSymbol {
  /** The strongest reason for this candidate. */
  why: (typeof REASONS)[number];
}

export interface Definitions {
  /** The name at the position; undefined if there is none. */
  name: string | undefined;
  definitions: Definition[];
  precision: Precision;
  /** The package that defines the name, if it is not this repository. */
  external?: string | undefined;
}

const NOTHING: Definitions = { name: undefined, definitions: [], precision: "lexical" };

/**
 * Finds the definitions of the name at a position: in a precise index, if one describes the file as it is now, else by scopes and names.
 * Order of the latter: a parameter or local variable of an enclosing scope, then definitions in an imported file, in the same file, in the
 * same folder, in the same language.
 */
export function definition(job: DefinitionJob): Promise<Definitions & Freshness> {
  return reading(job, async (db, { commit }) => {
    const reader = new TreeReader(job.root);
    const text = reader.readSync(job.path);
    if (text === undefined) return NOTHING;
    const lines = text.split("\n");
    const line = lines[job.line - 1] ?? "";
    const requested = job.symbol === undefined ? undefined : splitNamePath(job.symbol);
    const column = requested === undefined ? job.column : columnOf(line, requested);
    if (requested !== undefined && column === undefined) return NOTHING;
    const word = wordAt(text, languageOf(job.path), job.line, column);
    if (!word) return NOTHING;
    const { spelled } = word;
    const name = requested && bareName(requested.name) !== bareName(spelled) ? requested.name : spelled;
    // First, since it needs no parser.
    const precise = await PreciseIndex.reading({ database: job.database, lexical: db, commit }, (index) =>
      preciseDefinition(index, db, reader, { ...job, column: word.column }, { name, lines }),
    );
    if (!precise) {
      const at = await nameAt(text, languageOf(job.path), job.line, column);
      const parents = requested?.parents ?? [];
      return at ? lexicalDefinition(db, job, { at, name, lines, parents }) : NOTHING;
    }
    return {
      name,
      definitions: precise.definitions.map((found) => ({ ...found, why: "precise index" })),
      precision: precise.isGuessed ? "mixed" : "precise",
      external: precise.external,
    };
  });
}

interface Asked {
  at: NameAt;
  name: string;
  lines: readonly string[];
  parents: readonly string[];
}

function lexicalDefinition(
  db: DatabaseSync,
  job: DefinitionJob,
  { at, name, lines, parents }: Asked,
): Definitions {
  const local: Definition[] = [];
  if (at.local && parents.length === 0) {
    const signature = (lines[at.local.line - 1] ?? "").trim().slice(0, 200);
    const { line, column } = at.local;
    const place = { path: job.path, start_line: line, line, column, end_line: line };
    local.push({ ...place, kind: "variable", name: at.name, parent: "", signature, why: "local scope" });
  }
  // In `const { name } = …` the name is the declaration itself, and the field is what people look for.
  const isItself = at.local?.line === job.line && at.local.column === at.column;
  const isField = isItself && at.context?.form === "shorthand";
  const imports = importLines(lines);
  const qualifier = parents.at(-1) ?? at.qualifier;
  const candidates = definitionsOf(db, name).filter((s) => s.path !== job.path || s.line !== at.local?.line);
  const from = { path: job.path, parents, qualifier, form: at.context?.form };
  const likely = new Set(
    parents.length === 0 && (local.length === 0 || isField)
      ? targetsAt(db, job, { at, name, lines, candidates })
      : [],
  );
  const scored = candidates.map((symbol) => {
    const { points, definition } = score(symbol, from, imports);
    return { points: points + (likely.has(symbol) ? LIKELY : 0), definition };
  });
  scored.sort((a, b) => b.points - a.points);
  const others = scored.map(({ definition }) => definition);
  return { name, definitions: isField ? [...others, ...local] : [...local, ...others], precision: "lexical" };
}

/** More than the points that the place of a definition gives it. */
const LIKELY = 60;

function targetsAt(
  db: DatabaseSync,
  job: DefinitionJob,
  {
    at,
    name,
    lines,
    candidates,
  }: Pick<Asked, "at" | "name" | "lines"> & { candidates: readonly FoundSymbol[] },
): readonly FoundSymbol[] {
  if (!at.context) return [];
  const holder = db
    .prepare(
      `SELECT name, parent ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ? ORDER BY end_line - start_line LIMIT 1`,
    )
    .get(job.path, job.line, job.line) as { name: string; parent: string } | undefined;
  const holders = holder ? [...holder.parent.split("/"), holder.name].reverse() : [];
  const imports = importsOf(lines.join("\n"), familyOf(job.path));
  return lexicalTargets({ path: job.path, name, context: at.context, imports, holders }, candidates);
}

/** Of the places with the name as a word: the one with the given qualifier, else the one with its sigil, else the first. */
function columnOf(line: string, { name, parents }: RequestedName): number | undefined {
  const bare = bareName(name);
  const word = /^operator(?![\p{L}\p{N}_])/u.test(bare) ? "operator" : bare;
  const places = [...new Set([...wordPlaces(line, name), ...wordPlaces(line, word, true)])];
  const sigil = name.slice(0, Math.max(0, name.indexOf(bare)));
  const before = (place: number) => line.slice(0, place);
  const holder = escaped(parents.at(-1) ?? "");
  const qualified = new RegExp(`(?<![\\w$])${holder}(?:<[^<>]*>)?(?:\\.|::|->|\\?\\.|\\\\|/|#)[#@~$]?$`);
  const place =
    (parents.length > 0 ? places.find((at) => qualified.test(before(at))) : undefined) ??
    places.find((at) => before(at).endsWith(sigil)) ??
    places[0];
  return place === undefined ? undefined : place + 1;
}

/** The import lines of a file, in any of the languages. */
function importLines(lines: readonly string[]): string {
  const head = lines.slice(0, 400).join("\n");
  const found = head.match(
    /^\s*(?:import|from|use|using|require|require_relative|include|#include|export .* from|source|\.)\b[\s\S]*?(?:;|\n(?![\s)}]))/gm,
  );
  return (found ?? []).join("\n");
}

interface Origin {
  path: string;
  parents: readonly string[];
  qualifier: string | undefined;
  form: UseContext["form"] | undefined;
}

function score(
  symbol: FoundSymbol,
  from: Origin,
  imports: string,
): { points: number; definition: Definition } {
  const module = symbol.path.replace(/\.\w+$/, "").split("/");
  const base = module.at(-1) ?? "";
  const stem = /^(index|__init__|mod|lib|main)$/.test(base) ? (module.at(-2) ?? base) : base;
  const imported = [stem, folderOf(symbol.path).split("/").at(-1) ?? ""].some(
    (part) => part.length > 1 && new RegExp(`(?<![\\w$])${escaped(part)}(?![\\w$])`).test(imports),
  );
  const sameLanguage = languageOf(symbol.path)?.grammar === languageOf(from.path)?.grammar;
  let why: Definition["why"] = sameLanguage ? "same language" : "name only";
  let points = sameLanguage ? 10 : 0;
  if (folderOf(symbol.path) === folderOf(from.path)) [why, points] = ["same folder", points + 10];
  if (symbol.path === from.path) [why, points] = ["same file", points + 25];
  else if (imported && sameLanguage) [why, points] = ["imported from", points + 20];
  points += 20 * fitOf(from.parents, { ...symbol, package: "" });
  if (from.qualifier !== undefined) points += qualified(symbol, from.qualifier, stem);
  else if (symbol.kind === "method" || symbol.kind === "field")
    points += from.form === "key" || from.form === "shorthand" ? 15 : -5;
  if (SECONDARY.test(symbol.path)) points -= 3;
  return { points, definition: { ...symbol, why } };
}

/** For `parser.parse()`, a member of Parser or of a module `parser` is likelier than any other `parse`. */
function qualified(symbol: FoundSymbol, qualifier: string, module: string): number {
  const holder = symbol.parent.split("/").at(-1)?.toLowerCase() ?? "";
  const before = qualifier.toLowerCase();
  if (holder !== "" && (holder === before || holder.endsWith(before) || before.endsWith(holder))) return 30;
  if (module.toLowerCase() === before || folderOf(symbol.path).toLowerCase().endsWith(before)) return 20;
  return symbol.kind === "method" || symbol.kind === "field" ? 5 : 0;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
