import { type Freshness, type IndexJob, reading, SECONDARY } from "../job.ts";
import { type Kind, languageOf } from "../languages.ts";
import { nameAt } from "../occurrences.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf, type FoundSymbol } from "./find-symbol.ts";
import { folderOf } from "./references.ts";

export interface DefinitionJob extends IndexJob {
  path: string;
  line: number;
  column: number | undefined;
  /** Instead of a column: a name that stands on the line. */
  symbol: string | undefined;
}

export const REASONS = [
  "local scope",
  "imported from",
  "same file",
  "same folder",
  "same language",
  "name only",
] as const;

export interface Definition {
  path: string;
  line: number;
  column: number;
  end_line: number;
  kind: Kind;
  name: string;
  parent: string;
  signature: string;
  /** What speaks for it, the strongest. */
  why: (typeof REASONS)[number];
}

/**
 * Where the name at a place is defined. Lexical, the likeliest first: a parameter or local variable of an enclosing scope, a definition in
 * a file that this one imports the name from, in the same file, in the same folder, in the same language.
 */
export function definition(
  job: DefinitionJob,
): Promise<{ name: string | undefined; definitions: Definition[] } & Freshness> {
  return reading(job, async (db) => {
    const text = await new TreeReader(job.root).read(job.path);
    if (text === undefined) return { name: undefined, definitions: [] };
    const lines = text.split("\n");
    const line = lines[job.line - 1] ?? "";
    const column = job.symbol === undefined ? job.column : columnOf(line, job.symbol);
    if (job.symbol !== undefined && column === undefined) return { name: undefined, definitions: [] };
    const at = await nameAt(text, languageOf(job.path), job.line, column);
    if (!at) return { name: undefined, definitions: [] };
    const found: Definition[] = [];
    if (at.local) {
      const signature = (lines[at.local.line - 1] ?? "").trim().slice(0, 200);
      const { line: l, column: c } = at.local;
      found.push({
        path: job.path,
        line: l,
        column: c,
        end_line: l,
        kind: "variable",
        name: at.name,
        parent: "",
        signature,
        why: "local scope",
      });
    }
    const imports = importLines(lines);
    const scored = definitionsOf(db, at.name)
      .filter((s) => s.path !== job.path || s.line !== at.local?.line)
      .map((symbol) => score(symbol, job, at.qualifier, imports));
    scored.sort((a, b) => b.points - a.points);
    return { name: at.name, definitions: [...found, ...scored.map((s) => s.definition)] };
  });
}

function columnOf(line: string, symbol: string): number | undefined {
  const at = line.indexOf(symbol);
  return at === -1 ? undefined : at + 1;
}

/** The lines by which a file brings in others, in any of the languages. */
function importLines(lines: readonly string[]): string {
  const head = lines.slice(0, 400).join("\n");
  const found = head.match(
    /^\s*(?:import|from|use|using|require|require_relative|include|#include|export .* from|source|\.)\b[\s\S]*?(?:;|\n(?![\s)}]))/gm,
  );
  return (found ?? []).join("\n");
}

function score(
  symbol: FoundSymbol,
  job: DefinitionJob,
  qualifier: string | undefined,
  imports: string,
): { points: number; definition: Definition } {
  const module = symbol.path.replace(/\.\w+$/, "").split("/");
  const base = module.at(-1) ?? "";
  const stem = /^(index|__init__|mod|lib|main)$/.test(base) ? (module.at(-2) ?? base) : base;
  const imported = [stem, folderOf(symbol.path).split("/").at(-1) ?? ""].some(
    (part) => part.length > 1 && new RegExp(`(?<![\\w$])${escaped(part)}(?![\\w$])`).test(imports),
  );
  const sameLanguage = languageOf(symbol.path)?.grammar === languageOf(job.path)?.grammar;
  let why: Definition["why"] = sameLanguage ? "same language" : "name only";
  let points = sameLanguage ? 10 : 0;
  if (folderOf(symbol.path) === folderOf(job.path)) [why, points] = ["same folder", points + 10];
  if (symbol.path === job.path) [why, points] = ["same file", points + 25];
  else if (imported && sameLanguage) [why, points] = ["imported from", points + 20];
  if (qualifier !== undefined) points += qualified(symbol, qualifier, stem);
  else if (symbol.kind === "method" || symbol.kind === "field") points -= 5;
  if (SECONDARY.test(symbol.path)) points -= 3;
  return { points, definition: { ...symbol, why } };
}

/** `parser.parse()`: a member of Parser, or something of a module `parser`, is likelier than any other `parse`. */
function qualified(symbol: FoundSymbol, qualifier: string, module: string): number {
  const holder = symbol.parent.split("/").at(-1)?.toLowerCase() ?? "";
  const before = qualifier.toLowerCase();
  if (holder !== "" && (holder === before || holder.endsWith(before) || before.endsWith(holder))) return 30;
  if (module.toLowerCase() === before || folderOf(symbol.path).toLowerCase().endsWith(before)) return 20;
  return symbol.kind === "method" || symbol.kind === "field" ? 5 : 0;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
