import * as z from "zod";
import { listGitFiles } from "../workspace/git.ts";
import { insidePath } from "../workspace/paths.ts";
import { globMatcher } from "./globs.ts";
import { page } from "./paging.ts";
import { folderArgument, globArgument, pageArguments, pageOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  path: folderArgument(),
  glob: globArgument(
    'Only files that match, such as "*.{ts,tsx}" (at any depth), "src/**" (from path) or "!*.test.ts" (all others).',
  ).optional(),
  ...pageArguments(500, 2_000),
});

const output = z.object({
  repo: z.string(),
  files: z.array(z.string()).describe("Paths relative to the repository root, sorted."),
  total: z.int().describe("Number of matching files."),
  ...pageOutput,
});

/** Ignored files are left out: secrets and build results are there. */
export const listFiles = defineTool({
  name: "list_files",
  title: "List files",
  description:
    "Lists the files of a git repository, tracked or untracked but not ignored, optionally by folder or glob.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    const repo = await workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const matches = args.glob === undefined ? undefined : globMatcher(args.glob);
    const listed = await listGitFiles(repo.root, folder === "" ? [] : [`:(literal)${folder}`], signal);
    const start = folder === "" ? 0 : folder.length + 1;
    const all = (matches ? listed.filter((file) => matches(file.slice(start))) : listed).sort();
    const { items, ...rest } = page(all, args);
    return { repo: repo.name, files: items, total: all.length, ...rest };
  },
});
