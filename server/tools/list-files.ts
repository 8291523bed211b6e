import * as z from "zod";
import { listGitFiles } from "../workspace/git.ts";
import { insidePath } from "../workspace/paths.ts";
import { globMatcher } from "./globs.ts";
import { page } from "./paging.ts";
import {
  folderArgument,
  globArgument,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: folderArgument,
  glob: globArgument(
    'Glob such as "*.{ts,tsx}" (at any depth), "src/**/*.test.ts" (from the folder) or "!*.test.ts" (all others).',
  ).optional(),
  offset: offsetArgument,
  max_results: maxResults(500, 2_000),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  files: z.array(z.string()).describe("Paths relative to the repository, sorted."),
  total: z.int().describe("How many files match in all."),
  ...pageOutput,
});

/** What git knows and does not ignore, so build results and secrets in ignored files stay out. */
export const listFiles = defineTool({
  name: "list_files",
  title: "List files",
  description:
    "Lists the files of a git repository (tracked, or new and not ignored), optionally of one folder or matching a glob.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run({ repo: name, path, glob, offset, max_results, max_answer_chars }, { workspace, signal }) {
    const repo = await workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const matches = glob === undefined ? undefined : globMatcher(glob);
    const listed = await listGitFiles(repo.root, folder === "" ? [] : [`:(literal)${folder}`], signal);
    const start = folder === "" ? 0 : folder.length + 1;
    const all = (matches ? listed.filter((file) => matches(file.slice(start))) : listed).sort();
    const { items, ...rest } = page(all, offset, max_results, max_answer_chars);
    return { repo: repo.name, files: items, total: all.length, ...rest };
  },
});
