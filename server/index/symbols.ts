import type { Node, QueryCapture } from "web-tree-sitter";
import { type CodeSymbol, oneLine, shownSignature } from "./code-symbol.ts";
import { MATCH_OPTIONS, withTree } from "./grammars.ts";
import { type Label, labelOf } from "./labels.ts";
import { KINDS, type Kind, type Language } from "./languages.ts";
import { sqlSymbols } from "./sql-symbols.ts";
import { codeView } from "./views/code-view.ts";

/** Largest number of symbols of a file. A file with more is generated. */
export const MAX_SYMBOLS = 5_000;

/** Nodes around a definition that belong to it. */
const WRAPPERS = new Set([
  "export_statement",
  "lexical_declaration",
  "variable_declaration",
  "decorated_definition",
  "template_declaration",
  "pointer_declarator",
  "reference_declarator",
  "declaration",
  "method_signature",
]);
const HOLDERS = new Set(["class", "interface", "struct", "enum", "trait", "impl"]);

interface Definition {
  name: Node;
  label: Label;
  node: Node;
  outer: Node;
  kind: Kind | "impl";
  parent: string | undefined;
}

/** The definitions of a file, by line. */
export interface Outline {
  symbols: CodeSymbol[];
  /** The package or namespace of the whole file; "" for none. */
  package: string;
  /** True if there are more symbols than MAX_SYMBOLS. */
  cut: boolean;
}

/** The definitions of a text; undefined if it cannot be parsed. */
export async function outlineOf(file: string, language: Language): Promise<Outline | undefined> {
  const view = codeView(file, language);
  const { text } = view;
  if (language.isScanned) {
    const symbols = sqlSymbols(text, file, MAX_SYMBOLS);
    return { symbols, package: "", cut: symbols.length >= MAX_SYMBOLS };
  }
  const outline = await withTree(text, view.language, (tree, { query }) => {
    if (!query) return { symbols: [], package: "", cut: false };
    // The parser may have got other names than the file has (see repaired.ts).
    const named = language.container ? text : file;
    let declared = "";
    const found = new Map<number, { pattern: number; definition: Definition }>();
    for (const match of query.matches(tree.rootNode, MATCH_OPTIONS)) {
      for (const { name, node } of match.captures)
        if (name === "package" && declared === "") declared = named.slice(node.startIndex, node.endIndex);
      const definition = read(match.captures, named);
      if (!definition) continue;
      const at = definition.name.startIndex;
      const known = found.get(at);
      // The patterns go from the specific to the general. Of those that match the same name, the first in that order is used.
      if (!known || match.patternIndex < known.pattern)
        found.set(at, { pattern: match.patternIndex, definition });
      if (found.size >= MAX_SYMBOLS) break;
    }
    const definitions = [...found.values()].map((f) => f.definition);
    const symbols = nest(definitions, named, CLAUSES.has(view.language.query));
    return { symbols, package: declared, cut: found.size >= MAX_SYMBOLS };
  });
  for (const symbol of outline?.symbols ?? []) {
    const part = view.partAt?.(symbol.line);
    if (part !== undefined) symbol.signature = `${part}: ${symbol.signature}`;
  }
  return outline;
}

/** Languages in which a function is a sequence of clauses or begins with its type. */
const CLAUSES = new Set(["elixir", "elm", "haskell"]);

function read(captures: QueryCapture[], text: string): Definition | undefined {
  let name: Node | undefined;
  let node: Node | undefined;
  let parent: string | undefined;
  let kind: string | undefined;
  for (const capture of captures) {
    if (capture.name === "name") name = capture.node;
    else if (capture.name === "parent") parent = text.slice(capture.node.startIndex, capture.node.endIndex);
    else if (capture.name !== "package" && !capture.name.startsWith("_")) {
      kind = capture.name;
      node = capture.node;
    }
  }
  if (!name || !node || (kind !== "impl" && !KINDS.includes(kind as Kind))) return undefined;
  const label = labelOf(name, node, text);
  const outer = climb(node);
  // `Foo x();` in the body of a C++ function looks like the declaration of a function.
  if (node.type === "function_declarator" && outer.parent?.type === "compound_statement") return undefined;
  return { name, label, node, outer, kind: kind as Kind, parent: label.holders ?? parent };
}

function climb(node: Node): Node {
  const isDeclarator = node.type === "function_declarator";
  let outer = node;
  for (let up = outer.parent; up; up = outer.parent) {
    const ofDeclarator =
      isDeclarator && (up.type === "function_definition" || up.type === "field_declaration");
    if (!WRAPPERS.has(up.type) && !ofDeclarator) break;
    outer = up;
  }
  return outer;
}

/** A definition that encloses the ones after it. */
interface Open {
  end: number;
  path: string;
  name: string;
  kind: string;
  node: Node;
  outer: Node;
}

/** Whether a definition ends before another one. `int a, b` and `const a = 1, b = 2` are several of them in one declaration. */
function isBefore(one: Open | undefined, node: Node, outer: Node): boolean {
  if (!one || one.end <= node.startIndex || one.node.id === node.id) return true;
  return one.outer.id === outer.id && one.node.endIndex <= node.startIndex;
}

/** The name that an expression gives itself: `const View = memo(function View() {})`, `Stack <- setRefClass("Stack")` in R. */
function isRestated(node: Node, name: Node, holder: Open | undefined): boolean {
  return /^(?:function_expression|class|call)$/.test(node.type) && holder?.name === name.text;
}

/**
 * The property in the head of a constructor is one of the class, that of a struct which a function of Zig returns is one of it.
 * `typedef struct a {} b` defines two types side by side, `struct a {} b` a type and a variable.
 */
function holds(outer: string, inner: string, type: string): boolean {
  if (type === "container_field") return true;
  if (inner === "field") return outer !== "method" && outer !== "function" && outer !== "constant";
  return !(/^(?:type|variable)$/.test(outer) && /^(?:struct|enum)$/.test(inner));
}

/** Gives each definition the path of the enclosing ones. */
function nest(definitions: Definition[], text: string, joinsClauses: boolean): CodeSymbol[] {
  definitions.sort(
    (a, b) =>
      a.outer.startIndex - b.outer.startIndex ||
      b.outer.endIndex - a.outer.endIndex ||
      a.node.startIndex - b.node.startIndex ||
      b.node.endIndex - a.node.endIndex,
  );
  const symbols: CodeSymbol[] = [];
  const lines = text.split("\n");
  const open: Open[] = [];
  for (const { name, label, node, outer, kind, parent } of definitions) {
    while (open.length > 0 && isBefore(open.at(-1), node, outer)) open.pop();
    if (isRestated(node, name, open.at(-1))) continue;
    const holder = open.findLast((outerOne) => holds(outerOne.kind, kind, node.type));
    const shown = oneLine(label.text, 120);
    const above =
      parent === undefined ? (holder?.path ?? "") : [holder?.path, parent].filter(Boolean).join("/");
    const last = lastNode(outer);
    open.push({
      end: last.endIndex,
      path: above === "" ? shown : `${above}/${shown}`,
      name: shown,
      kind,
      node,
      outer,
    });
    if (kind === "impl") continue;
    const end_line = endRow(last) + 1;
    const previous = symbols.at(-1);
    if (joinsClauses && previous?.name === shown && previous.parent === above) {
      previous.end_line = end_line;
      continue;
    }
    symbols.push({
      name: shown,
      kind: kind === "function" && holder && HOLDERS.has(holder.kind) ? "method" : kind,
      parent: above,
      start_line: headRow(outer, lines) + 1,
      line: name.startPosition.row + 1,
      column: name.startPosition.column + 1 + label.index - name.startIndex,
      end_line,
      signature: signature({ node, outer, name }, text),
    });
  }
  return symbols;
}

/** The grammar of Dart has the body of a function beside its head. */
const lastNode = (outer: Node) =>
  outer.nextNamedSibling?.type === "function_body" ? outer.nextNamedSibling : outer;

/** The last row with text: some nodes include the line break. */
const endRow = ({ startPosition, endPosition }: Node) =>
  endPosition.column === 0 && endPosition.row > startPosition.row ? endPosition.row - 1 : endPosition.row;

/** The declaration up to its body; without a body, its text up to the end of the line of the name. */
function signature({ node, outer, name }: Pick<Definition, "node" | "outer" | "name">, text: string): string {
  const body = node.childForFieldName("body") ?? (outer === node ? null : outer.childForFieldName("body"));
  if (body) return shownSignature(text.slice(outer.startIndex, body.startIndex));
  const lineStart = text.lastIndexOf("\n", name.startIndex - 1) + 1;
  const whole = text.slice(Math.max(outer.startIndex, lineStart), outer.endIndex);
  return shownSignature(whole.split("\n", 1)[0] ?? "");
}

/** Siblings before a definition that belong to it. */
const BEFORE =
  /comment|decorator|attribute_(?!statement|definition)|^(?:modifiers|marker_annotation|annotations?|haddock)$/;
/** `@doc`, `@spec` and the like of Elixir. Types, callbacks and constants are definitions themselves. */
const isAttribute = ({ type, firstChild, text }: Node) =>
  type === "unary_operator" &&
  firstChild?.type === "@" &&
  !/^@(?:typep?|opaque|(?:macro)?callback)\b/.test(text);
/** Statements that begin with the keyword of a definition and contain only definitions. */
const STATEMENT =
  /^(?:(?:type|const|var|field|property|variable|lexical|ambient|event_field)_declaration|type_definition|expression_statement|export_statement|declaration)$/;

/**
 * The first row (0-based) of a definition with its documentation comment, decorators, annotations, attributes, and the type before its
 * name. Text before an empty line does not belong to it.
 *
 * @param outer the whole definition @param lines of the text
 */
function headRow(outer: Node, lines: readonly string[]): number {
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
    if (!before || !(BEFORE.test(before.type) || isAttribute(before))) break;
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
