import type { Node } from "web-tree-sitter";

/** Siblings before a definition that belong to it. */
const BEFORE = /comment|decorator|annotation|attribute|^(?:modifiers|marker)/;
/** Statements that begin with the keyword of a definition and contain only definitions. */
const STATEMENT =
  /^(?:(?:type|const|var|field|property|variable|lexical|ambient|event_field)_declaration|type_definition|expression_statement|export_statement|declaration)$/;

/**
 * The first row (0-based) of a definition with its documentation comment, decorators, annotations, attributes, and the type before its
 * name. What an empty line separates from it does not belong to it.
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
  // Finding a sibling takes a walk through the tree. The line above shows whether there can be one.
  while (row > 0 && (lines[row - 1] ?? "").trim() !== "") {
    const before = node.previousSibling;
    if (!before || !BEFORE.test(before.type)) break;
    // The node of a line comment may include the line break.
    const end = before.endPosition.column === 0 ? before.endPosition.row - 1 : before.endPosition.row;
    const start = before.startPosition.row;
    const alone = (lines[start] ?? "").slice(0, before.startPosition.column).trim() === "";
    if (end < row - 1 || !alone) break;
    node = before;
    row = start;
  }
  return row;
}
