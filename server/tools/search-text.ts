import * as z from "zod";
import type { Match } from "../index/text/line-collector.ts";
import { ToolError } from "../tool-error.ts";
import { insidePath } from "../workspace/paths.ts";
import { noteOf } from "./answers/no-files.ts";
import { type PageLimits, page } from "./paging.ts";
import {
  folderArgument,
  globArgument,
  MOST_CHARS,
  pageArguments,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { countMatches, type Found, findMatches } from "./search-text/find.ts";
import { merged } from "./search-text/ripgrep-json.ts";
import type { Search } from "./search-text/run.ts";
import { whyNoMatches } from "./search-text/why-none.ts";
import { defineTool, type ToolContext } from "./tool.ts";

/** Time limit of a search, milliseconds. After it, the matches so far are returned. */
const TIME_LIMIT_MS = 10_000;
/** Largest number of matches that can be paged through. */
const MAX_MATCHES = 5_000;

const input = z.object({
  query: z
    .string()
    .min(1)
    .max(1_000)
    .describe("Text to find, literal unless regex is true. It may have several lines."),
  regex: z
    .boolean()
    .default(false)
    .describe("Treat query as a regular expression (Rust syntax). With \\n it matches across lines."),
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
  output: z
    .enum(["matches", "files"])
    .default("matches")
    .describe("files: only the files with their number of matching lines."),
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
      end_line: z.int().optional(),
      text: z.string(),
      before: z.array(z.string()).optional(),
      after: z.array(z.string()).optional(),
    }),
  ),
  files: z
    .array(z.object({ path: z.string(), matches: z.int().describe("Matching lines.") }))
    .optional()
    .describe('With "output": "files".'),
  total: z.int().optional().describe("Number of these files."),
  ...pageOutput,
  timed_out: z
    .boolean()
    .describe(`True if the search was stopped after ${TIME_LIMIT_MS / 1000} s; narrow it by path or globs.`),
});

export const searchText = defineTool({
  name: "search_text",
  title: "Search text",
  description:
    "Searches the files of a git repository (up to 16 MiB each) for text or a regular expression. Returns the matching lines with path, line and column.",
  scope: "code:read",
  needs: ["git", "ripgrep"],
  input,
  output,
  async run(args, context) {
    const { workspace } = context;
    for (const glob of args.globs)
      if (/[\0\r\n]/.test(glob))
        throw new ToolError(`${JSON.stringify(glob)} must be one line without NUL characters.`);
    const repo = await workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const search: Search = { ...args, repo, folder };
    const until = performance.now() + TIME_LIMIT_MS;
    if (args.output === "files") return filesWith(context, search, args, until);
    const max = Math.min(args.offset + args.max_results, MAX_MATCHES);
    const limits = { context: args.context, max, maxChars: (args.offset + 1) * MOST_CHARS };
    const { parts, timedOut, known } = await findMatches(context, search, limits, until);
    const { matches, truncated } = merged(parts, max);
    const found = matches.map((match) => shape(match, args.context));
    const { items, ...rest } = page(found, args, truncated || timedOut);
    const notes = await notesOn(context, search, { isEmpty: found.length === 0, timedOut, known });
    return { repo: repo.name, matches: items, timed_out: timedOut, ...rest, ...noteOf(...notes) };
  },
});

/** The files with a match, those with most matching lines first. */
async function filesWith(context: ToolContext, search: Search, limits: PageLimits, until: number) {
  const { files, timedOut, known } = await countMatches(context, search, until);
  const all = files.sort((a, b) => b.matches - a.matches || (a.path < b.path ? -1 : 1));
  const { items, ...rest } = page(all, limits, timedOut);
  const notes = await notesOn(context, search, { isEmpty: all.length === 0, timedOut, known });
  return {
    repo: search.repo.name,
    matches: [],
    files: items,
    total: all.length,
    timed_out: timedOut,
    ...rest,
    ...noteOf(...notes),
  };
}

/** Why nothing was found, or which files may have more. */
async function notesOn(
  context: ToolContext,
  search: Search,
  { isEmpty, timedOut, known }: Pick<Found, "timedOut" | "known"> & { isEmpty: boolean },
): Promise<string[]> {
  if (isEmpty && !timedOut) return whyNoMatches(context, search, known?.unsearched);
  const { repo } = search;
  const all = known?.tooLarge ?? (await context.index.tooLargeTexts(repo, search, context));
  if (all.length === 0) return [];
  const served = await context.workspace.files(repo);
  const [first, ...others] = all.filter((path) => served.has(path));
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return [`Not searched, larger than 16 MiB: ${first}${more}.`];
}

function shape({ before, after, ...match }: Match, context: number) {
  return context > 0 ? { ...match, before, after } : match;
}
