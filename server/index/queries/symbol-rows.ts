import type { Kind } from "../languages.ts";

/** A symbol at its definition. */
export interface FoundSymbol {
  path: string;
  name: string;
  kind: Kind;
  /** The enclosing symbols, joined by "/"; "" at the top level. */
  parent: string;
  /** First line of its documentation, decorators or type. */
  start_line: number;
  line: number;
  column: number;
  end_line: number;
  signature: string;
}

/** SQL: the columns of a FoundSymbol, and the tables that they are in. */
export const SYMBOL_COLUMNS =
  "files.path, name, kind, parent, start_line, symbols.line, col AS column, end_line, signature";
export const SYMBOL_TABLES = "FROM symbols JOIN files ON files.id = symbols.file";

/** "Class/method": the name of a symbol with the symbols around it. */
export function namePath({ parent, name }: { parent: string; name: string }): string {
  return parent === "" ? name : `${parent}/${name}`;
}
