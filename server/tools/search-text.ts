import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { runChild } from "../workspace/child.ts";
import { ALL_CORES } from "../workspace/children.ts";
import { insidePath } from "../workspace/paths.ts";
import { withIgnoreFile } from "./ignore-file.ts";
import { page } from "./paging.ts";
import { type Match, MatchCollector, merged } from "./ripgrep-json.ts";
import {
  folderArgument,
  globArgument,
  MOST_CHARS,
  pageArguments,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

/** Time limit of a search, milliseconds. After it, the matches so far are returned. */
const TIME_LIMIT_MS = 10_000;
/** Largest number of matches that can be paged through. */
const MAX_MATCHES = 5_000;
const SORTED = "--sort=path";

const input = z.object({
  query: z.string().min(1).max(1_000).describe("Text to find, literal unless regex is true."),
  regex: z
    .boolean()
    .default(false)
    .describe("Treat query as a regular expression (Rust syntax, single line)."),
  case: z
    .enum(["smart", "sensitive", "insensitive"])
    .default("smart")
    .describe("smart: case-insensitive unless query contains an uppercase letter."),
  repo: repoArgument,
  path: folderArgument(),
  globs: z
    .array(globArgument('Such as "*.ts", "src/**", or "!*.test.ts" to exclude.'))
    .max(10)
    .default([])
    .describe("Only files that match one of these globs."),
  context: z.int().min(0).max(10).default(0).describe("Lines of context before and after each match."),
  ...pageArguments(100, 500),
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
  timed_out: z
    .boolean()
    .describe(`True if the search was stopped after ${TIME_LIMIT_MS / 1000} s; narrow it by path or globs.`),
});

export const searchText = defineTool({
  name: "search_text",
  title: "Search text",
  description:
    "Searches the files of a git repository (up to 4 MiB each) for text or a regular expression. Returns the matching lines with path, line and column.",
  scope: "code:read",
  needs: ["git", "ripgrep"],
  input,
  output,
  async run(args, { workspace, ripgrep, signal }) {
    for (const text of [args.query, ...args.globs])
      if (/[\0\r\n]/.test(text))
        throw new ToolError(`${JSON.stringify(text)} must be one line without NUL characters.`);
    const repo = await workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    // git lists the files while ripgrep starts. The output of ripgrep stays in the pipe until then, so ripgrep waits too.
    const listing = workspace.files(repo);
    listing.catch(() => undefined);
    const ignoredListing = workspace.trackedIgnored(repo);
    ignoredListing.catch(() => undefined);
    const max = Math.min(args.offset + args.max_results, MAX_MATCHES);
    const until = performance.now() + TIME_LIMIT_MS;
    const search = async (options: string[], visible: () => Promise<(path: string) => boolean>) => {
      let shows: ((path: string) => boolean) | undefined;
      const collector = new MatchCollector({
        context: args.context,
        max,
        maxChars: (args.offset + 1) * MOST_CHARS,
        visible: (path) => shows?.(path) ?? false,
      });
      const result = await runChild(ripgrep, [...options, ...ripgrepArguments(args, folder)], {
        cwd: repo.root,
        timeoutMs: Math.max(1, until - performance.now()),
        signal,
        // With sorting ripgrep uses one thread.
        threads: options.includes(SORTED) ? 1 : ALL_CORES,
        onChunk: async (chunk) => {
          shows ??= await visible();
          return collector.feed(chunk);
        },
      });
      signal.throwIfAborted();
      // Without matches nothing has waited for the listing yet; in a repository that git cannot read, the search must fail.
      if (!result.stopped) await listing;
      // 0: matches, 1: no matches, 2: an error, without a message if only some file could not be read (--no-messages).
      const message = result.stderr.trim();
      if (!result.stopped && result.code === 2 && message !== "")
        throw new ToolError(`The search was refused: ${message.slice(0, 500)}`);
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
      // ripgrep follows the ignore rules, also for files that git tracks in spite of them. A second run searches those.
      const second = await withIgnoreFile(ignored, (file) =>
        search(
          [...order, "--no-ignore-vcs", `--ignore-file=${file}`],
          async () => (path) => ignored.has(path),
        ),
      );
      return [first, second];
    };
    // Sorting limits ripgrep to one thread, so the first run is unsorted. Only if it is truncated must the first matches be found.
    let parts = await searchAll([]);
    if (parts.some((part) => part.truncated)) parts = await searchAll([SORTED]);
    const timedOut = parts.some((part) => part.timedOut);
    const { matches, truncated } = merged(parts, max);
    const found = matches.map((match) => shape(match, args.context));
    const more = truncated || timedOut;
    const { items, ...rest } = page(found, args, more);
    return { repo: repo.name, matches: items, timed_out: timedOut, ...rest };
  },
});

/**
 * The command line without the order. The globs of the caller override the ignore files, so the matches are also compared with the
 * listing of git. The last glob takes precedence, which excludes `.git`.
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
