import type { DatabaseSync } from "node:sqlite";
import { globFilter } from "../../workspace/globs.ts";
import { type IndexJob, inOneState, type JobContext } from "../job.ts";
import { or, TrigramReader } from "../trigrams/query.ts";
import { reportedChanges } from "./folder-watch.ts";
import { type LineRegex, toJavaScript } from "./javascript.ts";
import { type CollectorLimits, LineCollector, type Match } from "./line-collector.ts";
import { matchLines, withContext } from "./match-lines.ts";
import { planOf } from "./plan.ts";
import { type CaseMode, ignoresCase, literalOf, type ParsedRegex, parseRegex } from "./regex.ts";
import { Searchable } from "./searchable.ts";
import { mayHold, readInside, searchedText } from "./searched-text.ts";
import { inPathOrder, type Listing, type TextTree } from "./text-tree.ts";
import { currentTree } from "./trees.ts";

export interface TextJob extends IndexJob {
  /** In the syntax of Rust's regex crate if `regex`: a match of any of them counts. */
  readonly patterns: readonly string[];
  readonly regex: boolean;
  /** Whether a match may have several lines. */
  readonly multiline: boolean;
  readonly case: CaseMode;
  /** See globFilter. */
  readonly globs: readonly string[];
  /** Relative to the root; "" for all of it. */
  readonly folder: string;
  readonly listing: Listing;
  /** Limits for matches; without them, matching lines are counted. */
  readonly limits?: CollectorLimits | undefined;
}

export interface TextFound {
  readonly matches: readonly Match[];
  /** See LineCollector. */
  readonly truncated: boolean;
  /** Without `limits`: number of matching lines. */
  readonly counts: readonly { path: string; matches: number }[];
  /** Files that ripgrep must search: only it knows what the expression, or the file, means. */
  readonly rest: readonly string[];
  /** Without any match: the files that have no text, or are too large. */
  readonly unsearched: readonly string[];
  /** The text files that are too large, of those that were to be searched. */
  readonly tooLarge: readonly string[];
}

/** The most files that are searched here. ripgrep is faster for more: it uses all cores. */
const MAX_SEARCHED = 600;
/** The same in milliseconds. */
const MAX_MS = 150;
/** The most files that ripgrep gets by name. */
const MAX_REST = 1_000;
/** The most files that may differ from the index. */
const MAX_SUSPECTS = 300;
/**
 * Searches text by the trigrams of the index, with the result that ripgrep would have. Files that changed since they were indexed are read.
 *
 * @returns undefined if the index cannot narrow the search enough: then ripgrep is the better way
 */
export async function searchText(job: TextJob, context: JobContext): Promise<TextFound | undefined> {
  await reportedChanges();
  const parsed = parsedPatterns(job);
  const shows = globFilter(job.globs, job.folder);
  if (!parsed) return undefined;
  const query = or(parsed.map(({ regex }) => planOf(regex)));
  if (query.type === "any") return undefined;
  return inOneState(job.database, (db, meta) => {
    const tree = currentTree(db, meta, job);
    if (!tree) return undefined;
    const ids = new TrigramReader(db).find(query) ?? [];
    const paths = candidates(tree, ids, job.folder, shows);
    const found = paths && new Search(job, db, tree, matcherOf(job, parsed)).run(paths, context);
    return found && { ...found, tooLarge: tree.tooLarge().filter((path) => isWithin(job, path, shows)) };
  });
}

/** Whether the index can narrow a search at all. */
export function isNarrow(job: Pick<TextJob, "patterns" | "regex">): boolean {
  const parsed = parsedPatterns(job);
  return parsed?.every(({ regex }) => planOf(regex).type !== "any") ?? false;
}

/** @returns undefined for syntax that only ripgrep understands */
function parsedPatterns({ patterns, regex }: Pick<TextJob, "patterns" | "regex">): ParsedRegex[] | undefined {
  const parsed = patterns.map((pattern) =>
    regex ? parseRegex(pattern) : { regex: literalOf(pattern), insensitive: false },
  );
  return parsed.includes(undefined) ? undefined : (parsed as ParsedRegex[]);
}

/** The files to search, in the order of `rg --sort=path`: folder by folder. */
function candidates(
  tree: TextTree,
  ids: Iterable<number>,
  folder: string,
  shows: (path: string) => boolean,
): string[] | undefined {
  // ripgrep takes a file that the caller names for text, whatever it contains.
  if (tree.suspects.size > MAX_SUSPECTS || tree.isUnsearchable(folder)) return undefined;
  const current = tree.current(ids);
  const all = tree.suspects.size === 0 ? current : inPathOrder([...tree.suspects, ...current]);
  return all.filter((path) => isWithin({ folder }, path, shows));
}

/** A file that the caller names is searched in any case, whatever the globs are. */
const isWithin = ({ folder }: Pick<TextJob, "folder">, path: string, shows: (path: string) => boolean) =>
  folder === "" ? shows(path) : path === folder || (path.startsWith(`${folder}/`) && shows(path));

/** The text files that are too large to be searched, whatever the search is. */
export function tooLargeTexts(job: IndexJob & Pick<TextJob, "folder" | "globs">): Promise<string[]> {
  const shows = globFilter(job.globs, job.folder);
  return inOneState(job.database, (db) =>
    db
      .prepare("SELECT path FROM texts WHERE searchable = ? ORDER BY path")
      .all(Searchable.tooLarge)
      .map((row) => String(row.path))
      .filter((path) => isWithin(job, path, shows)),
  );
}

/** @returns undefined if only ripgrep can match */
function matcherOf(
  { multiline, case: mode }: TextJob,
  parsed: readonly ParsedRegex[],
): LineRegex | undefined {
  if (multiline) return undefined;
  const regexes = parsed.map(({ regex }) => regex);
  const ignoreCase = ignoresCase(mode, regexes) || parsed.some(({ insensitive }) => insensitive);
  const [only, ...others] = regexes;
  if (!only) return undefined;
  return toJavaScript(others.length === 0 ? only : { type: "choice", parts: regexes }, ignoreCase);
}

class Search {
  readonly #job: TextJob;
  readonly #db: DatabaseSync;
  readonly #tree: TextTree;
  readonly #matcher: LineRegex | undefined;
  readonly #collector: LineCollector | undefined;
  readonly #counts: { path: string; matches: number }[] = [];
  readonly #rest: string[] = [];
  readonly #unsearched: string[] = [];

  constructor(job: TextJob, db: DatabaseSync, tree: TextTree, matcher: LineRegex | undefined) {
    this.#job = job;
    this.#db = db;
    this.#tree = tree;
    this.#matcher = matcher;
    this.#collector = job.limits && new LineCollector(job.limits);
  }

  run(paths: readonly string[], context: JobContext): Omit<TextFound, "tooLarge"> | undefined {
    if (!this.#collector && paths.length > MAX_SEARCHED) return undefined;
    const until = performance.now() + MAX_MS;
    for (const [n, path] of paths.entries()) {
      if (n === MAX_SEARCHED || performance.now() > until || context.timeUp()) {
        this.#rest.push(...paths.slice(n));
        break;
      }
      if (!this.#file(path)) break;
    }
    if (this.#rest.length > MAX_REST) return undefined;
    if (this.#rest.includes(this.#job.folder)) return undefined;
    const matches = this.#collector?.matches ?? [];
    const isEmpty = matches.length === 0 && this.#counts.length === 0;
    return {
      matches,
      truncated: this.#collector?.truncated ?? false,
      counts: this.#counts,
      rest: this.#rest,
      unsearched: isEmpty ? [...this.#unsearched, ...this.#tree.unsearchable()] : [],
    };
  }

  /** @returns false if there are enough matches */
  #file(path: string): boolean {
    const file = readInside(this.#job.root, path);
    if (!file) return true;
    if (!file.bytes) {
      this.#unsearched.push(path);
      return true;
    }
    if (this.#tree.suspects.has(path)) this.#tree.verify(this.#db, path, file);
    const { required } = this.#matcher ?? {};
    if (required && !mayHold(file.bytes, required)) return true;
    const content = searchedText(file.bytes);
    if (content === "binary") {
      if (path === this.#job.folder) this.#rest.push(path);
      else this.#unsearched.push(path);
      return true;
    }
    const matched = content === "odd" || !this.#matcher ? undefined : matchLines(content.text, this.#matcher);
    if (!matched || content === "odd") {
      this.#rest.push(path);
      // ripgrep stops at a NUL, without a word about the matches after it.
      if (file.bytes.includes(0)) this.#unsearched.push(path);
      return true;
    }
    if (matched.length === 0) return true;
    if (!this.#collector) {
      this.#counts.push({ path, matches: matched.length });
      return true;
    }
    this.#collector.startFile();
    for (const lines of withContext(path, content.text, matched, this.#job.limits?.context ?? 0))
      if (!this.#collector.add(lines)) return false;
    this.#collector.endFile();
    return true;
  }
}
