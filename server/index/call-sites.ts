import type { Tree } from "web-tree-sitter";
import { withTree } from "./grammars.ts";
import type { Language } from "./languages.ts";
import { lineOf, lineStarts } from "./lines-at.ts";
import { codeIn, declares, isName, roleOf } from "./occurrences.ts";
import { contextsOf, type UseContext } from "./use-context.ts";

/** A call in a piece of code. Line and column are those of the called name, 1-based. */
export interface CallSite {
  name: string;
  line: number;
  column: number;
  context: UseContext;
}

/** Most words of a piece of code that are looked at. */
const MAX_WORDS = 8_000;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/gu;
/** They stand for the object or its class. */
const SELF = /^(?:this|self|super|cls|Self)$/;

/** The calls in the lines from `from` to `to` of a text, in their order. Empty without a grammar. */
export async function callSites(
  file: string,
  known: Language | undefined,
  { from, to }: { from: number; to: number },
): Promise<CallSite[]> {
  const { text, language } = codeIn(file, known);
  const found =
    language && (await withTree(text, language, (tree) => sitesIn(tree, text, language, { from, to })));
  return found ?? [];
}

function sitesIn(
  tree: Tree,
  text: string,
  language: Language,
  { from, to }: { from: number; to: number },
): CallSite[] {
  const starts = lineStarts(text);
  const first = starts[from - 1];
  if (first === undefined) return [];
  const piece = text.slice(first, starts[to] ?? text.length);
  /** The places of each name, since a name may be declared in the piece. */
  const places = new Map<string, number[]>();
  const called = new Map<string, number[]>();
  let words = 0;
  for (const { 0: name, index } of piece.matchAll(WORD)) {
    if (++words > MAX_WORDS) break;
    const at = first + index;
    const node = tree.rootNode.descendantForIndex(at);
    if (!node || !isName(node) || SELF.test(name) || node.startIndex > at || node.endIndex < at + name.length)
      continue;
    append(places, name, at);
    if (roleOf(node) === "call") append(called, name, at);
  }
  const sites: (CallSite & { at: number })[] = [];
  for (const [name, indices] of called) {
    const all = places.get(name) ?? indices;
    const contexts = contextsOf(tree, text, language.grammar, all, declares);
    for (const [n, at] of all.entries()) {
      const context = contexts[n];
      if (!context || !indices.includes(at)) continue;
      const line = lineOf(starts, at);
      sites.push({ name, line, column: at - (starts[line - 1] ?? 0) + 1, context, at });
    }
  }
  return sites.sort((a, b) => a.at - b.at).map(({ at: _, ...site }) => site);
}

function append(map: Map<string, number[]>, name: string, at: number): void {
  const known = map.get(name);
  if (known) known.push(at);
  else map.set(name, [at]);
}
