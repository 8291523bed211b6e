import { readFile } from "node:fs/promises";
import { Language as Grammar, Parser, Query, type Tree } from "web-tree-sitter";
import { wasmFile } from "./assets.ts";
import { baselineModule } from "./baseline-module.ts";
import { QUERIES } from "./definitions/index.ts";
import type { Language } from "./languages.ts";

/** Time limit for parsing a file, milliseconds: some grammars take quadratic time on hostile text. */
const PARSE_MS = 2_000;
/** Largest number of definitions that are matched at the same time. A file with more is generated. */
const MATCH_LIMIT = 4_096;

interface Loaded {
  grammar: Grammar;
  /** Finds the definitions; undefined for a language without any (regex). */
  query: Query | undefined;
  /** What keeps V8 from compiling the grammar again, and optimized. */
  module: object | undefined;
}

let started: Promise<void> | undefined;
const loaded = new Map<string, Promise<Loaded | undefined>>();
let parser: Parser | undefined;

/** Loads a grammar, once per thread. @returns undefined if its file is missing or not usable */
function loadGrammar(language: Language): Promise<Loaded | undefined> {
  const key = `${language.grammar}/${language.query}`;
  let entry = loaded.get(key);
  if (!entry) {
    entry = load(language).catch(() => undefined);
    loaded.set(key, entry);
  }
  return entry;
}

async function load(language: Language): Promise<Loaded | undefined> {
  const runtime = wasmFile("web-tree-sitter.wasm");
  const file = wasmFile(`tree-sitter-${language.grammar}.wasm`);
  if (!runtime || !file) return undefined;
  started ??= readFile(runtime).then((wasmBinary) => Parser.init({ wasmBinary: new Uint8Array(wasmBinary) }));
  await started;
  const wasm = new Uint8Array(await readFile(file));
  const module = baselineModule(wasm);
  const grammar = await Grammar.load(wasm);
  const text = QUERIES[language.query];
  return { grammar, query: text === undefined ? undefined : new Query(grammar, text), module };
}

/**
 * Parses a text and calls `use` with the tree. The tree is freed afterwards (WebAssembly memory is not garbage collected).
 *
 * @returns undefined if there is no such grammar, or the parser gave up
 */
export async function withTree<T>(
  text: string,
  language: Language,
  use: (tree: Tree, grammar: Loaded) => T,
): Promise<T | undefined> {
  const entry = await loadGrammar(language);
  if (!entry) return undefined;
  let tree: Tree | null = null;
  try {
    parser ??= new Parser();
    parser.setLanguage(entry.grammar);
    const end = performance.now() + PARSE_MS;
    tree = parser.parse(text, null, { progressCallback: () => performance.now() > end });
    return tree ? use(tree, entry) : undefined;
  } catch {
    // Extremely deep text overflows the WebAssembly stack. The parser is unusable then, and the file stays plain text.
    parser = undefined;
    return undefined;
  } finally {
    parser?.reset();
    tree?.delete();
  }
}

export const MATCH_OPTIONS = { matchLimit: MATCH_LIMIT };
