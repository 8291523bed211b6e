import { createRequire } from "node:module";
import type { SgNode, SgRoot } from "@ast-grep/napi";
import { clip } from "../clip.ts";
import { ToolError } from "../tool-error.ts";
import { WeightedCache } from "../weighted-cache.ts";
import { isBelow } from "../workspace/paths.ts";
import { nativeFile, PYTHON_PARSER, STRUCTURAL_ADDON } from "./assets.ts";
import { inOneState, type JobContext } from "./job.ts";
import { reportedChanges } from "./text/folder-watch.ts";
import { type Listing, pathsOf } from "./text/text-tree.ts";
import { currentTree } from "./text/trees.ts";
import { and, holds, TrigramReader } from "./trigrams/query.ts";
import { MAX_INDEXED_BYTES, TreeReader } from "./work-tree.ts";

export const STRUCTURAL_LANGUAGES = ["typescript", "tsx", "javascript", "html", "css", "python"] as const;
export type StructuralLanguage = (typeof STRUCTURAL_LANGUAGES)[number];

/** The names in the addon, and the files of each language. */
const LANGUAGES: Record<StructuralLanguage, { name: string; files: RegExp }> = {
  typescript: { name: "TypeScript", files: /\.[mc]?ts$/ },
  tsx: { name: "Tsx", files: /\.tsx$/ },
  javascript: { name: "JavaScript", files: /\.([mc]?js|jsx)$/ },
  html: { name: "Html", files: /\.(html?|xhtml)$/ },
  css: { name: "Css", files: /\.css$/ },
  python: { name: "python", files: /\.pyi?$/ },
};

/** Tells the files of a language by their names. */
export const languageFiles = (language: StructuralLanguage) => (file: string) =>
  LANGUAGES[language].files.test(file);

export interface StructuralJob {
  root: string;
  pattern: string;
  /** Only matches inside code that matches this pattern. */
  inside: string | undefined;
  language: StructuralLanguage;
  /** The folder to search; "" for all. */
  folder: string;
  /** The files that callers may see. */
  listing: Listing;
  /** The index of the repository. Without one, all files of the language are read. */
  database: string | undefined;
  /** Maximum number of matches. */
  max: number;
}

/** A file to search, and a key that differs for each content; undefined if the content is not known to the index. */
interface Candidate {
  readonly path: string;
  readonly key: string | undefined;
}

export interface StructuralMatch {
  path: string;
  line: number;
  column: number;
  end_line: number;
  text: string;
  /** Code captured by each metavariable. */
  captures: Record<string, string>;
}

export interface StructuralResult {
  matches: StructuralMatch[];
  /** True if there are more matches than `max`. */
  more: boolean;
  timed_out: boolean;
  /** Files of the language that were skipped, as "path (why)". */
  left_out: string[];
  /** True if the pattern is not complete code: it may match less than it seems to. */
  broken: boolean;
}

const MAX_TEXT = 600;

/** Source code whose syntax trees are kept in each thread, characters. A tree takes some ten times as much memory. */
const KEPT_CHARS = 4 * 1024 * 1024;
const kept = new WeightedCache<string, SgRoot>(KEPT_CHARS);
/** Files that lack a word of a pattern although they have its trigrams. */
const lacking = new WeightedCache<string, true>(20_000);

type Addon = typeof import("@ast-grep/napi");
let addon: Addon | undefined;
let python = false;

/** Loads the native addon, once per thread. @throws if this machine has none */
function load(): Addon {
  if (addon) return addon;
  const file = nativeFile(STRUCTURAL_ADDON);
  if (!file) throw new Error(`${STRUCTURAL_ADDON} is missing; run: npm ci`);
  addon = createRequire(import.meta.url)(file) as Addon;
  const parser = nativeFile(PYTHON_PARSER);
  if (parser) {
    addon.registerDynamicLanguage({
      python: {
        libraryPath: parser,
        extensions: ["py"],
        languageSymbol: "tree_sitter_python",
        expandoChar: "µ",
      },
    });
    python = true;
  }
  return addon;
}

/** Finds code by its syntax. */
export async function structural(job: StructuralJob, context: JobContext): Promise<StructuralResult> {
  const { parse } = load();
  const { name } = LANGUAGES[job.language];
  if (job.language === "python" && !python)
    throw new ToolError("This server has no Python parser for structural searches. Use search_text.");
  const rule = {
    rule: {
      pattern: job.pattern,
      ...(job.inside ? { inside: { pattern: job.inside, stopBy: "end" as const } } : {}),
    },
  };
  check(() => parse(name, "").root().findAll(rule));
  const plain = job.pattern.replace(/\$+[A-Z_][A-Z0-9_]*|\$\$\$/g, "META");
  const broken =
    parse(name, plain)
      .root()
      .find({ rule: { kind: "ERROR" } }) !== null;
  const literals = literalsOf(`${job.pattern} ${job.inside ?? ""}`);
  const { files, left_out } = await candidatesOf(job, literals);
  const result: StructuralResult = { matches: [], more: false, timed_out: false, broken, left_out };
  const capturesOf = captureReader(job.pattern);
  const reader = new TreeReader(job.root);
  for (const [n, { path, key }] of files.entries()) {
    context.progress(n, files.length);
    if (context.timeUp()) return { ...result, timed_out: true };
    let parsed = key === undefined ? undefined : kept.get(`${name} ${key}`);
    const words = `${key} ${literals.join(" ")}`;
    if (lacking.get(words)) continue;
    if (!parsed) {
      const { text, why } = await reader.load(path);
      if (why !== undefined) result.left_out.push(`${path} (${why})`);
      // Most files lack some word of the pattern and need no parsing.
      if (text === undefined || !literals.every((literal) => text.includes(literal))) {
        if (key !== undefined) lacking.set(words, true, 1);
        continue;
      }
      parsed = parse(name, text);
      if (key !== undefined) kept.set(`${name} ${key}`, parsed, text.length);
    }
    for (const node of parsed.root().findAll(rule)) {
      if (result.matches.length === job.max) return { ...result, more: true };
      const { start, end } = node.range();
      result.matches.push({
        path,
        line: start.line + 1,
        column: start.column + 1,
        end_line: end.line + 1,
        text: clip(node.text(), MAX_TEXT),
        captures: capturesOf(node),
      });
    }
  }
  return result;
}

/** Reads what the variables of a pattern stand for. */
function captureReader(pattern: string): (node: SgNode) => Record<string, string> {
  const variables = [...new Set(pattern.match(/\$\$?\$?[A-Z_][A-Z0-9_]*/g) ?? [])];
  return (node) => {
    const captures: Record<string, string> = {};
    for (const variable of variables) {
      const bare = variable.replace(/^\$+/, "");
      const nodes = variable.startsWith("$$$") ? node.getMultipleMatches(bare) : [node.getMatch(bare)];
      const texts = nodes.flatMap((n) => (n ? [n.text()] : []));
      if (texts.length > 0) captures[bare] = clip(texts.join(""), 200);
    }
    return captures;
  };
}

/** The files of the language that may have all words of the pattern, in the order of their paths. */
async function candidatesOf(
  { root, folder, language, listing, database }: StructuralJob,
  words: readonly string[],
): Promise<{ files: Candidate[]; left_out: string[] }> {
  const isWanted = (path: string) => LANGUAGES[language].files.test(path) && isBelow(path, folder);
  const all = () => ({
    files: pathsOf(listing)
      .filter(isWanted)
      .sort()
      .map((path) => ({ path, key: undefined })),
    left_out: [],
  });
  if (database === undefined) return all();
  await reportedChanges();
  return inOneState(database, (db, meta) => {
    const tree = currentTree(db, meta, { database, root, listing });
    if (!tree) return all();
    const wanted = [...tree.listed].filter(isWanted).sort();
    const ids = new TrigramReader(db).find(and(words.map(holds)));
    const found = ids && new Set(tree.current(ids));
    const files: Candidate[] = [];
    const left_out: string[] = [];
    for (const path of wanted) {
      const entry = tree.indexed(path);
      if (entry && !entry.searchable) left_out.push(`${path} (binary)`);
      else if (entry && entry.size > MAX_INDEXED_BYTES) left_out.push(`${path} (larger than 1 MiB)`);
      else if (!entry) files.push({ path, key: undefined });
      else if (!found || found.has(path)) files.push({ path, key: `${database} ${entry.id}` });
    }
    return { files, left_out };
  });
}

/** Words of the pattern that are in every match. */
export function literalsOf(pattern: string): string[] {
  const without = pattern.replace(/\$+[A-Z_][A-Z0-9_]*|\$+/g, " ");
  return [...new Set(without.match(/[\p{L}_][\p{L}\p{N}_]*/gu) ?? [])];
}

function check(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    throw new ToolError(`The pattern was refused: ${(error as Error).message.slice(0, 500)}`);
  }
}
