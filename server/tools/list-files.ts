import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { listGitFiles } from "../workspace/git.ts";
import { insidePath } from "../workspace/paths.ts";
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
    'Glob such as "*.ts" (at any depth) or "src/**/*.test.ts" (from the folder).',
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
  capability: "code:read",
  needs: ["git"],
  input,
  output,
  async run({ repo: name, path, glob, offset, max_results, max_answer_chars }, { workspace, signal }) {
    const repo = await workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const all = (await listGitFiles(repo.root, pathspecs(folder, glob), signal)).sort();
    const { items, ...rest } = page(all, offset, max_results, max_answer_chars);
    return { repo: repo.name, files: items, total: all.length, ...rest };
  },
});

/** git pathspecs with their magic spelt out, so that nothing in the caller's text is taken for magic. */
function pathspecs(folder: string, glob: string | undefined): string[] {
  if (glob === undefined) return folder === "" ? [] : [`:(literal)${folder}`];
  if (glob.includes("\0") || glob.split("/").includes(".."))
    throw new ToolError('The glob may hold neither "..", nor a NUL character.');
  const tail = glob.includes("/") ? glob.replace(/^\/+/, "") : `**/${glob}`;
  const head = folder === "" ? "" : `${folder.replace(/[\\*?[\]]/g, "\\$&")}/`;
  return [`:(glob)${head}${tail}`];
}
