import type { DatabaseSync } from "node:sqlite";
import { beginning, sizeOfText } from "../../answer-size.ts";
import { TreeReader } from "../work-tree.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

const MIN_CHARS = 100;

/**
 * The source of a symbol with its documentation. If it is longer than `max` characters: the signatures of its members with their lines, or
 * its beginning.
 *
 * @returns undefined if the file cannot be read or `max` is too small
 */
export async function sourceOf(
  db: DatabaseSync,
  root: string,
  symbol: FoundSymbol,
  max: number,
): Promise<string | undefined> {
  if (max < MIN_CHARS) return undefined;
  const text = await new TreeReader(root).read(symbol.path);
  if (text === undefined) return undefined;
  const lines = text.split("\n").slice(symbol.start_line - 1, symbol.end_line);
  const whole = lines.join("\n");
  if (sizeOfText(whole) <= max) return whole;
  const members = membersOf(db, symbol);
  if (members.length < 2) return `${beginning(whole, max - 3)}…`;
  const head = lines.slice(0, symbol.line - symbol.start_line + 1);
  const outline = members.map(({ line, end_line, signature }) => `  ${line}-${end_line}: ${signature}`);
  const shown = [...head, ...outline].join("\n");
  return sizeOfText(shown) <= max ? shown : `${beginning(shown, max - 3)}…`;
}

function membersOf(db: DatabaseSync, { path, parent, name, line, end_line }: FoundSymbol): FoundSymbol[] {
  const inside = parent === "" ? name : `${parent}/${name}`;
  const sql = `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND parent = ? AND symbols.line BETWEEN ? AND ? ORDER BY symbols.line`;
  return db.prepare(sql).all(path, inside, line, end_line) as unknown as FoundSymbol[];
}
