import type { DatabaseSync } from "node:sqlite";
import { clip } from "../../clip.ts";
import { bareName } from "../names.ts";
import type { Occurrence, Place } from "../scip/occurrence-list.ts";
import { fromUtf16, type PreciseDocument, type PreciseIndex, toUtf16 } from "../scip/precise-index.ts";
import { packageOf } from "../scip/symbol-name.ts";
import type { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface PreciseDefinitions {
  /** Empty if the symbol is defined outside of the repository. */
  definitions: FoundSymbol[];
  /** The package of a symbol that is defined elsewhere: "npm typescript 5.9.3". */
  external: string | undefined;
  /** True if a file with a definition has changed since, so that it was found by its name. */
  isGuessed: boolean;
}

/** A position in a file. Line and column are 1-based, columns in UTF-16 units. */
export interface Position {
  path: string;
  line: number;
  column: number;
}

/** Longest signature, characters. */
const MAX_SIGNATURE = 200;

/**
 * The definitions of the name at a position, by the precise indexes.
 *
 * @param name the name there @param lines of the file
 * @returns undefined if no index describes the file as it is now, or none has a name there
 */
export async function preciseDefinition(
  index: PreciseIndex,
  db: DatabaseSync,
  reader: TreeReader,
  { path, line, column }: Position,
  { name, lines }: { name: string; lines: readonly string[] },
): Promise<PreciseDefinitions | undefined> {
  const document = index.document(path);
  if (!document?.isCurrent) return undefined;
  const at = fromUtf16(lines[line - 1] ?? "", column - 1, document.unit);
  const all = index.occurrences(document);
  const here = all.filter((o) => contains(o, line - 1, at));
  if (here.length === 0) return undefined;
  // A shorthand property is a definition of its own and a use of the variable.
  const uses = here.filter(({ isDefinition }) => !isDefinition);
  const result: PreciseDefinitions = { definitions: [], external: undefined, isGuessed: false };
  for (const { symbol } of uses.length > 0 ? uses : here) {
    if (symbol < 0) {
      const own = all.filter((o) => o.symbol === symbol && o.isDefinition);
      for (const o of own) result.definitions.push(rowOf(db, document, lines, name, o));
      continue;
    }
    const homes = index.usesOf([symbol], "definitions");
    for (const { document: home, places } of homes) {
      if (!home.isCurrent) {
        result.isGuessed = true;
        result.definitions.push(...definitionsOf(db, name).filter((d) => d.path === home.path));
        continue;
      }
      const homeLines = home.path === path ? lines : ((await reader.read(home.path)) ?? "").split("\n");
      const defining = places().filter(({ isDefinition }) => isDefinition);
      for (const o of defining) result.definitions.push(rowOf(db, home, homeLines, name, o));
    }
    if (homes.length === 0) result.external ??= packageOf(index.symbol(symbol)?.symbol ?? "");
  }
  result.definitions = distinct(result.definitions);
  return result.definitions.length > 0 || result.external !== undefined ? result : undefined;
}

/** The end counts too: a cursor is often behind the name. */
function contains({ line, column, endLine, endColumn }: Occurrence, at: number, atColumn: number): boolean {
  const isAfterStart = at > line || (at === line && atColumn >= column);
  const isBeforeEnd = at < endLine || (at === endLine && atColumn <= endColumn);
  return isAfterStart && isBeforeEnd;
}

/** A definition as the lexical index has it. Parameters, local variables and keys of objects are only in the precise one. */
function rowOf(
  db: DatabaseSync,
  { path, unit }: PreciseDocument,
  lines: readonly string[],
  name: string,
  { line, column }: Place,
): FoundSymbol {
  const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND symbols.line = ? ORDER BY bare <> ? LIMIT 1`;
  const text = lines[line] ?? "";
  const at = toUtf16(text, column, unit) + 1;
  const known = db.prepare(sql).get(path, line + 1, bareName(name)) as unknown as FoundSymbol | undefined;
  if (known && Math.abs(known.column - at) <= 1) return known;
  const holder = db
    .prepare(
      `SELECT name, parent ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ? ORDER BY end_line - start_line LIMIT 1`,
    )
    .get(path, line + 1, line + 1);
  return {
    path,
    name,
    kind: "variable",
    parent: holder ? [holder.parent, holder.name].filter(Boolean).join("/") : "",
    start_line: line + 1,
    line: line + 1,
    column: at,
    end_line: line + 1,
    signature: clip(text.trim(), MAX_SIGNATURE),
  };
}

function distinct(symbols: readonly FoundSymbol[]): FoundSymbol[] {
  return [...new Map(symbols.map((s) => [`${s.path}:${s.line}:${s.column}`, s])).values()];
}
