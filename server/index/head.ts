import type { Node } from "web-tree-sitter";

/** What stands before a definition and belongs to it, beside it in the tree. */
const BEFORE = /comment|decorator|annotation|attribute|^(?:modifiers|marker)/;
/** What begins with a definition's keyword and holds nothing but definitions. */
const STATEMENT =
  /^(?:(?:type|const|var|field|property|variable|lexical|ambient|event_field)_declaration|type_definition|expression_statement|export_statement|declaration)$/;

/**
 * The row (from 0) where a definition begins for a reader: at its documentation comment, its decorators, annotations or attributes, or the
 * type before its name; what is parted from it by an empty line is not its own.
 *
 * @param outer the whole definition @param lines of the text
 */
export function headRow(outer: Node, lines: readonly string[]): number {
  let node = outer;
  for (let up = node.parent; up?.parent; up = node.parent) {
    const sameStart = up.startIndex === node.startIndex;
    if (!sameStart && !(STATEMENT.test(up.type) && up.startPosition.row === node.startPosition.row)) break;
    node = up;
  }
  let row = node.startPosition.row;
  // Siblings cost the tree a walk: the line above says whether there can be one.
  while (row > 0 && (lines[row - 1] ?? "").trim() !== "") {
    const before = node.previousSibling;
    if (!before || !BEFORE.test(before.type)) break;
    // A line comment may hold its line's end.
    const end = before.endPosition.column === 0 ? before.endPosition.row - 1 : before.endPosition.row;
    const start = before.startPosition.row;
    const alone = (lines[start] ?? "").slice(0, before.startPosition.column).trim() === "";
    if (end < row - 1 || !alone) break;
    node = before;
    row = start;
  }
  return row;
}
