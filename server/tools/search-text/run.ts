import { ToolError } from "../../tool-error.ts";
import { runChild } from "../../workspace/child.ts";
import { ALL_CORES } from "../../workspace/children.ts";
import { globFilter } from "../../workspace/globs.ts";
import { isBelow } from "../../workspace/paths.ts";
import { MAX_FILE_BYTES } from "../../workspace/served-file.ts";
import type { Repository } from "../../workspace/workspace.ts";
import type { ToolContext } from "../tool.ts";
import { withIgnoreFile } from "./ignore-file.ts";
import { namesCarriageReturn, type Patterns, patternsOf } from "./patterns.ts";

/** With sorting, ripgrep uses one thread. */
const SORTED = "--sort=path";

/** The most files that ripgrep gets by name. With more, it searches all, and the others are left out of the result. */
const MAX_NAMED = 1_000;

/** What is searched, and where. */
export interface Search {
  readonly repo: Repository;
  /** Relative to the repository; "" for all of it. */
  readonly folder: string;
  readonly query: string;
  readonly regex: boolean;
  readonly case: "smart" | "sensitive" | "insensitive";
  /** See globFilter. */
  readonly globs: readonly string[];
}

/** Takes the output of one run of ripgrep. */
export interface Sink {
  /** @returns false if no more is needed */
  feed(chunk: Buffer, shows: (path: string) => boolean): boolean;
}

export interface Run {
  /** Options in addition to those of the search. */
  readonly options: readonly string[];
  /** Whether the files must come in the order of their paths. */
  readonly sorted: boolean;
  /** By `performance.now()`. */
  readonly until: number;
  /** Larger files are not searched, in the form of ripgrep. Default: MAX_FILE_BYTES. */
  readonly maxFileSize?: string;
}

/**
 * Searches the files that callers may see: those that ripgrep finds by itself, and those that git tracks although an ignore rule names
 * them.
 *
 * @param makeSink called once for each run of ripgrep
 * @returns the sinks, and whether the time limit ended a run
 * @throws ToolError with ripgrep's message, if it refuses the search
 */
export async function runSearch<S extends Sink>(
  context: ToolContext,
  search: Search,
  run: Run,
  makeSink: () => S,
): Promise<{ sinks: S[]; timedOut: boolean }> {
  const { workspace } = context;
  const chosen = await chosenBy(context, search);
  if (chosen && chosen.size <= MAX_NAMED) return runInFiles(context, search, chosen, run, makeSink);
  // git lists the files while ripgrep starts. The output of ripgrep stays in the pipe until then, so ripgrep waits too.
  const listing = workspace.files(search.repo);
  listing.catch(() => undefined);
  const ignoredListing = workspace.trackedIgnored(search.repo);
  ignoredListing.catch(() => undefined);
  const first = makeSink();
  const timedOut = await runOnce(context, search, run, first, async () => {
    const [files, ignored] = await Promise.all([listing, ignoredListing]);
    return (path) => (chosen ?? files).has(path) && !ignored.has(path);
  });
  // Without matches nothing has waited for the listing yet; in a repository that git cannot read, the search must fail.
  if (!timedOut) await listing;
  const all = await ignoredListing;
  const ignored = chosen ? new Set([...chosen].filter((path) => all.has(path))) : all;
  if (ignored.size === 0) return { sinks: [first], timedOut };
  // ripgrep follows the ignore rules, also for files that git tracks in spite of them. A second run searches those.
  const second = await runInFiles(context, search, ignored, run, makeSink);
  return { sinks: [first, ...second.sinks], timedOut: timedOut || second.timedOut };
}

/** The files that the globs choose; undefined without globs. */
async function chosenBy({ workspace }: ToolContext, search: Search): Promise<Set<string> | undefined> {
  const { repo, folder, globs } = search;
  if (globs.length === 0) return undefined;
  const fits = globFilter(globs, folder);
  return new Set([...(await workspace.files(repo))].filter((path) => isBelow(path, folder) && fits(path)));
}

/** Searches only these files, whatever the ignore rules say. */
export async function runInFiles<S extends Sink>(
  context: ToolContext,
  search: Search,
  files: ReadonlySet<string>,
  run: Run,
  makeSink: () => S,
): Promise<{ sinks: S[]; timedOut: boolean }> {
  const sink = makeSink();
  if (files.size === 0) return { sinks: [sink], timedOut: false };
  const timedOut = await withIgnoreFile(files, (file) => {
    const options = ["--no-ignore-vcs", `--ignore-file=${file}`, ...run.options];
    return runOnce(context, search, { ...run, options }, sink, async () => (path) => files.has(path));
  });
  return { sinks: [sink], timedOut };
}

/** @returns whether the time limit ended it */
async function runOnce(
  { ripgrep, signal }: ToolContext,
  search: Search,
  { options, sorted, until, maxFileSize = String(MAX_FILE_BYTES) }: Run,
  sink: Sink,
  visible: () => Promise<(path: string) => boolean>,
): Promise<boolean> {
  let shows: ((path: string) => boolean) | undefined;
  const patterns = patternsOf(search.query, search.regex);
  const args = [
    ...(sorted ? [SORTED] : []),
    ...options,
    `--max-filesize=${maxFileSize}`,
    ...commonArguments(search, patterns),
  ];
  const result = await runChild(ripgrep, args, {
    cwd: search.repo.root,
    timeoutMs: Math.max(1, until - performance.now()),
    signal,
    threads: sorted ? 1 : ALL_CORES,
    onChunk: async (chunk) => {
      shows ??= await visible();
      return sink.feed(chunk, shows);
    },
  });
  signal.throwIfAborted();
  // 0: matches, 1: no matches, 2: an error, without a message if only some file could not be read (--no-messages).
  const message = result.stderr.trim();
  if (!result.stopped && result.code === 2 && message !== "")
    throw new ToolError(`The search was refused: ${message.slice(0, 500)}\n${howToWrite(message)}`);
  return result.stopped === "timeout";
}

/** What to write instead of an expression that ripgrep refuses. */
function howToWrite(message: string): string {
  if (/look-around|backreference/.test(message))
    return "Expressions have no look-around and no backreferences. Search for the plain part of it, and choose among the lines.";
  return 'To find the text as it is, send "regex": false. In an expression, write a backslash before ( ) [ ] { } * + ? . |.';
}

/**
 * The end of the command line. The matches are also compared with the listing of git, and with the globs of the caller.
 */
function commonArguments(search: Search, { patterns, regex, multiline }: Patterns): string[] {
  return [
    "--no-config",
    "--no-messages",
    "--hidden",
    "--no-ignore-global",
    "--no-ignore-dot",
    // `$` also matches before CRLF, unless the expression names the CR itself.
    ...(!regex ? ["--fixed-strings"] : namesCarriageReturn(patterns) ? [] : ["--crlf"]),
    ...(multiline ? ["--multiline"] : []),
    { smart: "--smart-case", sensitive: "--case-sensitive", insensitive: "--ignore-case" }[search.case],
    "--glob=!.git",
    ...patterns.map((pattern) => `--regexp=${pattern}`),
    "--",
    search.folder === "" ? "./" : `./${search.folder}`,
  ];
}
