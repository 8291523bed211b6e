import type { CodeSymbol } from "../code-symbol.ts";

/** A symbol of the index, and the file with its definition. */
export interface FoundSymbol extends CodeSymbol {
  path: string;
}

/** SQL: the columns of a FoundSymbol, and the tables that they are in. */
export const SYMBOL_COLUMNS =
  "files.path, name, kind, parent, start_line, symbols.line, col AS column, end_line, signature";
export const SYMBOL_TABLES = "FROM symbols JOIN files ON files.id = symbols.file";

/** "Class/method": the name of a symbol with the symbols around it. */
export function namePath({ parent, name }: { parent: string; name: string }): string {
  return parent === "" ? name : `${parent}/${name}`;
}
