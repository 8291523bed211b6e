import type { Tree } from "web-tree-sitter";
import { withTree } from "./grammars.ts";
import type { Language } from "./languages.ts";
import { codeIn, declares, isName, withLines, wordPlaces } from "./occurrences.ts";
import { contextsOf, isScope, type UseContext } from "./use-context.ts";

/** The name at a position, and its declaration in the nearest enclosing scope. */
export interface NameAt {
  name: string;
  /** The name with its sigil or signs: `#run`, `empty?`, `operator==`. */
  spelled: string;
  /** The qualifier in `qualifier.name`, or undefined. */
  qualifier: string | undefined;
  /** Column of the name, 1-based. */
  column: number;
  /** The declaration of a parameter or local variable with that name. */
  local: { line: number; column: number } | undefined;
  /** How it is written. Undefined without a grammar. */
  context: UseContext | undefined;
}

/**
 * Finds the name at a position, and its declaration from scope to enclosing scope. Lexical: the types of the nodes show which of them
 * declare a name.
 *
 * @param line 1-based @param column 1-based; undefined for the first name on the line
 */
export async function nameAt(
  file: string,
  known: Language | undefined,
  line: number,
  column: number | undefined,
): Promise<NameAt | undefined> {
  const word = wordAt(file, known, line, column);
  if (!word) return undefined;
  const { text, language, index, name } = word;
  const inTree =
    language && (await withTree(text, language, (tree) => scopeOf(tree, text, language, name, index)));
  const { local, context } = inTree ?? {};
  const place = local === undefined ? undefined : withLines(text, [{ index: local, role: "definition" }])[0];
  return {
    name,
    column: word.column,
    spelled: word.spelled,
    qualifier: /([\p{L}_$][\p{L}\p{N}_$]*)(?:\.|::|->|\?\.|\\)(?:[#@~$]|r#)?$/u.exec(
      text.slice(Math.max(0, index - 200), index),
    )?.[1],
    local: place && { line: place.line, column: place.column },
    context,
  };
}

/** Words before the first name of a line, in most languages. */
const KEYWORDS = new Set(
  "const let var val function func fun fn def class interface struct enum trait impl type export default import from return await async new public private protected internal static final abstract override if else for while switch case match throw raise try yield pub use mod package namespace using extends implements and not in is unless do end self this".split(
    " ",
  ),
);

/** The name at a position, as far as it is known without a parser. See nameAt. */
export function wordAt(file: string, known: Language | undefined, line: number, column: number | undefined) {
  const { text, language } = codeIn(file, known);
  const start = lineStart(text, line);
  if (start === undefined) return undefined;
  const end = text.indexOf("\n", start);
  const words = [...text.slice(start, end === -1 ? undefined : end).matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)];
  const word =
    column === undefined
      ? (words.find(([one]) => !KEYWORDS.has(one)) ?? words[0])
      : words.find((w) => w.index <= column - 1 && column - 1 <= w.index + w[0].length);
  if (!word) return undefined;
  const index = start + word.index;
  const name = word[0];
  return {
    text,
    language,
    index,
    name,
    column: word.index + 1,
    spelled: spelledAt(text, index, name, language),
  };
}

function spelledAt(text: string, index: number, word: string, language: Language | undefined): string {
  const lineEnd = text.indexOf("\n", index);
  const after = text.slice(index + word.length, lineEnd === -1 ? undefined : lineEnd).slice(0, 100);
  const before = text.slice(Math.max(0, text.lastIndexOf("\n", index - 1) + 1, index - 100), index);
  if (word === "operator") return word + (/^\s*(?:\(\)|\[\]|[^\p{L}\p{N}_\s(]+)/u.exec(after)?.[0] ?? "");
  if (/^(?:powershell|bash|css)$/.test(language?.query ?? ""))
    return `${/(?:[\p{L}\p{N}_]+-)*$/u.exec(before)?.[0] ?? ""}${word}${/^(?:-[\p{L}\p{N}_]+)*/u.exec(after)?.[0] ?? ""}`;
  const sigil = /(?:[#@~]|(?<![\p{L}\p{N}_])r#)$/u.exec(before)?.[0] ?? "";
  const sign = language?.query === "ruby" ? (/^[?!]/.exec(after)?.[0] ?? "") : "";
  return sigil + word + sign;
}

function scopeOf(tree: Tree, text: string, { grammar }: Language, name: string, index: number) {
  const places = wordPlaces(text, name);
  const context = contextsOf(tree, text, grammar, places, declares)[places.indexOf(index)];
  const isPlain = !context || context.form === "plain" || context.form === "shorthand";
  return { context, local: isPlain ? localOf(tree, text, { name, grammar }, index) : undefined };
}

function localOf(
  tree: Tree,
  text: string,
  { name, grammar }: { name: string; grammar: string },
  index: number,
): number | undefined {
  const declared = wordPlaces(text, name).filter((at) => {
    const node = tree.rootNode.descendantForIndex(at);
    return node !== null && isName(node) && declares(node);
  });
  for (let scope = tree.rootNode.descendantForIndex(index)?.parent; scope?.parent; scope = scope.parent) {
    if (!isScope(scope, grammar)) continue;
    const { startIndex, endIndex } = scope;
    const inside = declared.filter((at) => at >= startIndex && at < endIndex && at <= index);
    if (inside.length > 0) return inside[0];
  }
  return undefined;
}

function lineStart(text: string, line: number): number | undefined {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  return start;
}
