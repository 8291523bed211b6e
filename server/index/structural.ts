import { createRequire } from "node:module";
import { clip } from "../clip.ts";
import { ToolError } from "../tool-error.ts";
import { nativeFile, PYTHON_PARSER, STRUCTURAL_ADDON } from "./assets.ts";
import type { JobContext } from "./job.ts";
import { TreeReader } from "./work-tree.ts";

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
  /** The files to search, relative to root. */
  files: readonly string[];
  /** Maximum number of matches. */
  max: number;
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

/** Finds code in a set of files by its syntax. */
export async function structural(job: StructuralJob, context: JobContext): Promise<StructuralResult> {
  const { parse } = load();
  const { name, files } = LANGUAGES[job.language];
  if (job.language === "python" && !python)
    throw new ToolError("This server has no Python parser for structural searches. Use search_text.");
  const result: StructuralResult = {
    matches: [],
    more: false,
    timed_out: false,
    broken: false,
    left_out: [],
  };
  const rule = {
    rule: {
      pattern: job.pattern,
      ...(job.inside ? { inside: { pattern: job.inside, stopBy: "end" as const } } : {}),
    },
  };
  check(() => parse(name, "").root().findAll(rule));
  const plain = job.pattern.replace(/\$+[A-Z_][A-Z0-9_]*|\$\$\$/g, "META");
  result.broken =
    parse(name, plain)
      .root()
      .find({ rule: { kind: "ERROR" } }) !== null;
  const literals = literalsOf(job.pattern);
  const variables = [...new Set(job.pattern.match(/\$\$?\$?[A-Z_][A-Z0-9_]*/g) ?? [])];
  const reader = new TreeReader(job.root);
  const candidates = job.files.filter((path) => files.test(path));
  for (const [n, path] of candidates.entries()) {
    context.progress(n, candidates.length);
    if (context.timeUp()) {
      result.timed_out = true;
      break;
    }
    const { text, why } = await reader.load(path);
    if (why !== undefined) result.left_out.push(`${path} (${why})`);
    // Most files lack some word of the pattern and need no parsing.
    if (text === undefined || !literals.every((literal) => text.includes(literal))) continue;
    for (const node of parse(name, text).root().findAll(rule)) {
      if (result.matches.length === job.max) return { ...result, more: true };
      const { start, end } = node.range();
      const captures: Record<string, string> = {};
      for (const variable of variables) {
        const bare = variable.replace(/^\$+/, "");
        const nodes = variable.startsWith("$$$") ? node.getMultipleMatches(bare) : [node.getMatch(bare)];
        const texts = nodes.flatMap((n) => (n ? [n.text()] : []));
        if (texts.length > 0) captures[bare] = clip(texts.join(""), 200);
      }
      result.matches.push({
        path,
        line: start.line + 1,
        column: start.column + 1,
        end_line: end.line + 1,
        text: clip(node.text(), MAX_TEXT),
        captures,
      });
    }
  }
  return result;
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
