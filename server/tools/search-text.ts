import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { runChild } from "../workspace/child.ts";
import { ALL_CORES } from "../workspace/children.ts";
import { insidePath } from "../workspace/paths.ts";
import { withIgnoreFile } from "./ignore-file.ts";
import { merged } from "./merged-matches.ts";
import { page } from "./paging.ts";
import { type Match, MatchCollector } from "./ripgrep-json.ts";
import {
  folderArgument,
  globArgument,
  MOST_CHARS,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Longest a search may take, milliseconds; what was found until then is answered. */
const TIME_LIMIT_MS = 10_000;
/** Matches that can be paged through; beyond them the search must be narrowed. */
const MAX_MATCHES = 5_000;
const SORTED = "--sort=path";

const input = z.object({
  query: z.string().min(1).max(1_000).describe("Text to find, taken literally unless regex is true."),
  regex: z
    .boolean()
    .default(false)
    .describe("Take the query as a regular expression (Rust regex syntax, one line)."),
  case: z
    .enum(["smart", "sensitive", "insensitive"])
    .default("smart")
    .describe("smart: insensitive unless the query holds a capital letter."),
  repo: repoArgument,
  path: folderArgument,
  globs: z
    .array(globArgument('Glob such as "*.ts", "src/**" or, to leave out, "!*.test.ts".'))
    .max(10)
    .default([])
    .describe("Only files that match one of these."),
  context: z.int().min(0).max(10).default(0).describe("Lines to show before and after each match."),
  offset: offsetArgument,
  max_results: maxResults(100, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  matches: z.array(
    z.object({
      path: z.string(),
      line: z.int(),
      column: z.int(),
      text: z.string(),
      before: z.array(z.string()).optional(),
      after: z.array(z.string()).optional(),
    }),
  ),
  ...pageOutput,
  timed_out: z.boolean().describe(`True when the search was ended after ${TIME_LIMIT_MS / 1000} s.`),
});

export const searchText = defineTool({
  name: "search_text",
  title: "Search text",
  description:
    "Searches the files of a git repository, up to 4 MiB each, for a text or a regular expression and answers the matching lines with path, line and column.",
  scope: "code:read",
  needs: ["git", "ripgrep"],
  input,
  output,
  async run(args, { workspace, ripgrep, signal }) {
    for (const text of [args.query, ...args.globs])
      if (/[\0\r\n]/.test(text)) throw new ToolError("A query or glob is one line, without NUL characters.");
    const repo = await workspace.find(args.repo);
    const folder = args.path === "" ? "" : (await insidePath(repo, args.path)).real;
    // git lists while ripgrep starts; what ripgrep finds until then stays in the pipe, so that it waits too.
    const listing = workspace.files(repo);
    listing.catch(() => undefined);
    const ignoredListing = workspace.trackedIgnored(repo);
    ignoredListing.catch(() => undefined);
    const wanted = Math.min(args.offset + args.max_results, MAX_MATCHES);
    const until = performance.now() + TIME_LIMIT_MS;
    const search = async (options: string[], visible: () => Promise<(path: string) => boolean>) => {
      let shows: ((path: string) => boolean) | undefined;
      let taking: Promise<boolean> | undefined;
      const collector = new MatchCollector({
        context: args.context,
        max: wanted,
        maxChars: (args.offset + 1) * MOST_CHARS,
        visible: (path) => shows?.(path) ?? false,
      });
      const result = await runChild(ripgrep, [...options, ...ripgrepArguments(args, folder)], {
        cwd: repo.root,
        timeoutMs: Math.max(1, until - performance.now()),
        signal,
        // Sorting makes it use one thread.
        threads: options.includes(SORTED) ? 1 : ALL_CORES,
        onChunk: (chunk) => {
          taking = (async () => {
            shows ??= await visible();
            return collector.feed(chunk);
          })();
          return taking;
        },
      });
      signal.throwIfAborted();
      // ripgrep may have ended, and its output with it, while the last piece still waits for git.
      if (!result.stopped) await taking;
      // Nothing found: in a repository that git cannot read that is no answer.
      if (!result.stopped) await listing;
      // 0: found, 1: nothing found, 2: an error, which is silent when only some file could not be read (--no-messages).
      const complaint = result.stderr.trim();
      if (!result.stopped && result.code === 2 && complaint !== "")
        throw new ToolError(`The search was refused: ${complaint.slice(0, 500)}`);
      return {
        matches: collector.finish(),
        truncated: collector.truncated,
        timedOut: result.stopped === "timeout",
      };
    };
    const searchAll = async (order: string[]) => {
      const first = await search(order, async () => {
        const [files, ignored] = await Promise.all([listing, ignoredListing]);
        return (path) => files.has(path) && !ignored.has(path);
      });
      const ignored = await ignoredListing;
      if (ignored.size === 0) return [first];
      // ripgrep knows the rules but not what is tracked against them: those files are searched by a list of their own.
      const second = await withIgnoreFile(ignored, (file) =>
        search(
          [...order, "--no-ignore-vcs", `--ignore-file=${file}`],
          async () => (path) => ignored.has(path),
        ),
      );
      return [first, second];
    };
    // Sorting costs ripgrep all threads but one. What fits on the page can be sorted here; of more, the first ones are wanted.
    let parts = await searchAll([]);
    if (parts.some((part) => part.truncated)) parts = await searchAll([SORTED]);
    const timedOut = parts.some((part) => part.timedOut);
    const { matches, truncated } = merged(parts, wanted);
    const found = matches.map((match) => shape(match, args.context));
    const more = truncated || timedOut;
    const { items, ...rest } = page(found, args.offset, args.max_results, args.max_answer_chars, more);
    return { repo: repo.name, matches: items, timed_out: timedOut, ...rest };
  },
});

/**
 * The command line, but for the order. The globs of the caller override the ignore files, so found lines are also held against git's own list; `.git` comes last and wins.
 */
function ripgrepArguments(args: z.output<typeof input>, folder: string): string[] {
  return [
    "--json",
    "--no-config",
    "--no-messages",
    "--hidden",
    "--no-ignore-global",
    "--no-ignore-dot",
    "--max-filesize=4M",
    `--max-count=${Math.min(args.offset + args.max_results, MAX_MATCHES) + 1}`,
    `--context=${args.context}`,
    // `$` also matches before CRLF.
    ...(args.regex ? ["--crlf"] : ["--fixed-strings"]),
    { smart: "--smart-case", sensitive: "--case-sensitive", insensitive: "--ignore-case" }[args.case],
    ...args.globs.map((glob) => `--glob=${glob}`),
    "--glob=!.git",
    "--",
    args.query,
    folder === "" ? "./" : `./${folder}`,
  ];
}

function shape({ before, after, ...match }: Match, context: number) {
  return context > 0 ? { ...match, before, after } : match;
}
