import { hash } from "node:crypto";
import type { Node, Tree } from "web-tree-sitter";
import { WeightedCache } from "../weighted-cache.ts";
import { withTree } from "./grammars.ts";
import type { Language } from "./languages.ts";
import { lineStarts } from "./lines-at.ts";
import { bareName } from "./names.ts";
import { contextsOf, NOWHERE, type UseContext } from "./use-context.ts";
import { codeView } from "./views/code-view.ts";

export const ROLES = ["definition", "import", "call", "type", "use", "text"] as const;
/** How a name is used. `text`: the language has no grammar here, so comments and strings are included. */
export type Role = (typeof ROLES)[number];

/** A use of a name. Line and column are 1-based. */
export interface Occurrence {
  line: number;
  column: number;
  index: number;
  role: Role;
  /** Undefined without a grammar. */
  context?: UseContext | undefined;
}

const NO_NAME = /comment|string|heredoc|template_chars|regex|char_literal|raw_text/;
const IMPORT = /import|use_declaration|using_directive|include|export_clause|namespace_use/;
const CALL =
  /call|invocation|new_expression|object_creation|macro_invocation|^command$|^jsx_(?:opening|self_closing)_element$/;
/** A member behind the expression whose member it is. */
const RECEIVER_FIRST =
  /^(?:member_expression|attribute|field_expression|selector_expression|scoped_identifier|qualified_identifier|navigation_expression|member_access_expression)$/;
/** Nodes that declare a name for the rest of their scope. */
const LOCAL =
  /parameter|declarator|var_spec|short_var_declaration|let_declaration|let_condition|^assignment$|for_in|for_statement|for_expression|foreach|catch|except|with_item|as_pattern|range_clause|for_range|closure/;

/** Languages in which `$` is a sigil. In others it is a letter. */
const DOLLAR_SIGIL = /^(?:php|bash|powershell)$/;

/** What one thread keeps of the files that it parsed, by the hash of their text: pages of an answer, and calls that are repeated. Bytes. */
const MAX_KEPT = 8 * 1024 * 1024;
/** Approximate sizes of an entry and an occurrence. Bytes. */
const KEPT_ENTRY = 200;
const KEPT_PLACE = 250;
const keptOccurrences = new WeightedCache<string, Occurrence[]>(MAX_KEPT);

/**
 * Finds all uses of `name` as an identifier, not in a comment or string. Places are those of the bare name. If the name has a sigil, only
 * uses with it count (`#run`, `empty?`, `~File`).
 */
export async function occurrencesOf(
  file: string,
  known: Language | undefined,
  name: string,
): Promise<Occurrence[]> {
  const key = `${known?.name}\0${name}\0${hash("sha1", file, "base64")}`;
  const kept = keptOccurrences.get(key);
  if (kept) return kept;
  const found = await findOccurrences(file, known, name);
  keptOccurrences.set(key, found, KEPT_ENTRY + found.length * KEPT_PLACE);
  return found;
}

async function findOccurrences(
  file: string,
  known: Language | undefined,
  name: string,
): Promise<Occurrence[]> {
  const { text, language } = codeIn(file, known);
  const places = spelledPlaces(text, name, language);
  if (places.length === 0) return [];
  if (language?.isScanned)
    return withLines(
      text,
      places.map((index) => ({ index, role: "use" as const, context: NOWHERE })),
    );
  const inTree =
    language && (await withTree(text, language, (tree) => classify(tree, places, text, language.grammar)));
  if (inTree) return withLines(text, inTree);
  return withLines(
    text,
    places.map((index) => ({ index, role: "text" as const })),
  );
}

/** What the parser reads of a file. In prose and data each word counts. */
export function codeIn(
  file: string,
  known: Language | undefined,
): { text: string; language: Language | undefined } {
  return known && !known.isData ? codeView(file, known) : { text: file, language: undefined };
}

/** The roles of names at the given places of a text, in the same order; "use" without a grammar. */
export async function rolesOf(
  file: string,
  known: Language | undefined,
  places: readonly { line: number; column: number }[],
): Promise<Role[]> {
  const { text, language } = codeIn(file, known);
  const starts = lineStarts(text);
  const indices = places.map(({ line, column }) => (starts[line - 1] ?? 0) + column - 1);
  const roleAt = (tree: Tree, index: number) => {
    const node = tree.rootNode.descendantForIndex(index);
    return node ? roleOf(node) : "use";
  };
  const roles =
    language && (await withTree(text, language, (tree) => indices.map((index) => roleAt(tree, index))));
  return roles ?? indices.map(() => "use");
}

function spelledPlaces(text: string, name: string, language: Language | undefined): number[] {
  const sigil = language !== undefined && DOLLAR_SIGIL.test(language.query);
  const bare = bareName(name);
  if (/^operator(?![\p{L}\p{N}_])/u.test(bare)) return operatorPlaces(text, bare);
  if (!sigil && name.startsWith("$")) return wordPlaces(text, name);
  const at = name.indexOf(bare);
  const before = name.slice(0, at).replaceAll("$", "").replaceAll("&", "");
  const after = name.slice(at + bare.length);
  return wordPlaces(text, bare, sigil).filter(
    (place) =>
      (before === "" || text.endsWith(before, place)) &&
      (after === "" || follows(text.slice(place + bare.length, place + bare.length + 40), after)),
  );
}

/** A setter of Ruby is `name=` in its definition and `name = value` in its uses. */
const follows = (text: string, sign: string) =>
  sign === "=" ? /^\s*=(?![=~>])/.test(text) : text.startsWith(sign);

function operatorPlaces(text: string, bare: string): number[] {
  const places = [...text.matchAll(/(?<![\p{L}\p{N}_])operator/gu)].map((m) => m.index);
  const next = (place: number) => bareName(text.slice(place, place + bare.length + 20));
  return places.filter((place) => {
    const found = next(place);
    return found.startsWith(bare) && !/[=<>!+\-*/%&|^\p{L}\p{N}_]/u.test(found[bare.length] ?? "");
  });
}

/**
 * The indices of `name` as a whole word, at most 5,000.
 *
 * @param sigil true if `$` before a word is not part of it
 */
export function wordPlaces(text: string, name: string, sigil = false): number[] {
  const places: number[] = [];
  if (name === "") return places;
  const isWord = (char: string | undefined) =>
    char !== undefined && /[\p{L}\p{N}_$]/u.test(char) && !(sigil && char === "$");
  for (
    let at = text.indexOf(name);
    at !== -1 && places.length < 5_000;
    at = text.indexOf(name, at + name.length)
  )
    if (!isWord(text[at - 1]) && !isWord(text[at + name.length])) places.push(at);
  return places;
}

function classify(tree: Tree, places: number[], text: string, grammar: string): Found[] {
  const found: { index: number; role: Role }[] = [];
  for (const index of places) {
    const node = tree.rootNode.descendantForIndex(index);
    if (!node) continue;
    if (isName(node) && !NO_NAME.test(node.parent?.type ?? "") && node.type !== "text")
      found.push({ index, role: roleOf(node) });
    else if (grammar === "python" && isAnnotation(node)) found.push({ index, role: "type" });
  }
  const indices = found.map(({ index }) => index);
  const contexts = contextsOf(tree, text, grammar, indices, declares);
  return found.map((place, n) => ({ ...place, context: contexts[n] }));
}

/** A text of Python that is a type: `-> "Text"`. */
const isAnnotation = (node: Node) =>
  node.type === "string_content" &&
  /^(?:type|type_parameter|subscript|list)$/.test(node.parent?.parent?.type ?? "");

/** Keywords are nodes without a name: `from` in an import. An operator's name in C++ begins with one. */
export const isName = (node: Node) =>
  (node.isNamed || node.type === "operator" || !/^\w+$/.test(node.type)) && !NO_NAME.test(node.type);

type Found = Omit<Occurrence, "line" | "column">;

export function roleOf(node: Node): Role {
  if (/type_identifier/.test(node.type)) return above(node, 3, IMPORT) ? "import" : "type";
  let child = node;
  for (let up: Node | null = node.parent, steps = 0; up && steps < 4; child = up, up = up.parent, steps++) {
    if (IMPORT.test(up.type)) return "import";
    // `a` in `a.b()` is not called.
    if (RECEIVER_FIRST.test(up.type) && up.firstNamedChild?.id === child.id) return "use";
    if (steps < 3 && CALL.test(up.type)) return isCallee(up, child) ? "call" : "use";
  }
  return "use";
}

function isCallee(call: Node, child: Node): boolean {
  for (const field of ["function", "name", "method", "constructor", "type", "macro"])
    if (call.childForFieldName(field)?.id === child.id) return true;
  return false;
}

function above(node: Node, steps: number, pattern: RegExp): boolean {
  for (let up = node.parent, n = 0; up && n < steps; up = up.parent, n++)
    if (pattern.test(up.type)) return true;
  return false;
}

export function declares(node: Node): boolean {
  let child = node;
  for (let up: Node | null = node.parent, steps = 0; up && steps < 4; child = up, up = up.parent, steps++) {
    if (
      /function|method|call|class|block|member|attribute|field_expression|selector/.test(up.type) &&
      !/parameter|closure/.test(up.type)
    )
      return false;
    // `[Text]` in a type of Python.
    if (up.type === "type_parameter" && up.parent?.type === "generic_type") return false;
    if (!LOCAL.test(up.type)) continue;
    for (const field of ["value", "right", "body", "type", "condition", "default_value"])
      if (up.childForFieldName(field)?.id === child.id) return false;
    return true;
  }
  return false;
}

/** Adds line and column to places that are sorted by index. */
export function withLines<T extends { index: number }>(
  text: string,
  places: T[],
): (T & { line: number; column: number })[] {
  let line = 1;
  let start = 0;
  return places.map((place) => {
    for (
      let end = text.indexOf("\n", start);
      end !== -1 && end < place.index;
      end = text.indexOf("\n", start)
    ) {
      start = end + 1;
      line++;
    }
    return { ...place, line, column: place.index - start + 1 };
  });
}
