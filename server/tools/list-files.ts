import * as z from "zod";
import { ToolError } from "../tool-error.ts";
import { listGitFiles } from "../workspace/git.ts";
import { insidePath } from "../workspace/paths.ts";
import { folderArgument, globArgument, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: folderArgument,
  glob: globArgument(
    'Glob such as "*.ts" (at any depth) or "src/**/*.test.ts" (from the folder).',
  ).optional(),
  offset: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe("Files to skip, to go on after a truncated answer."),
  max_results: z.int().min(1).max(2_000).default(500).describe("At most so many files."),
});

const output = z.object({
  repo: z.string(),
  files: z.array(z.string()).describe("Paths relative to the repository, sorted."),
  total: z.int().describe("How many files match in all."),
  truncated: z.boolean().describe("True when there are more after these."),
});

/** What git knows and does not ignore, so build results and secrets in ignored files stay out. */
export const listFiles = defineTool({
  name: "list_files",
  title: "List files",
  description:
    "Lists the files of a git repository (tracked, or new and not ignored), optionally of one folder or matching a glob.",
  capability: "code:read",
  input,
  output,
  async run({ repo: name, path, glob, offset, max_results }, { workspace, signal }) {
    const repo = await workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const all = (await listGitFiles(repo.root, pathspecs(folder, glob), signal)).sort();
    const files = all.slice(offset, offset + max_results);
    return { repo: repo.name, files, total: all.length, truncated: offset + files.length < all.length };
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
