import * as z from "zod";
import { listingOf } from "../workspace/git/listing.ts";
import { globMatcher } from "../workspace/globs.ts";
import { insidePath, isBelow } from "../workspace/paths.ts";
import { ignoredNote, nearestFiles, noteOf, whyNoFiles } from "./answers/no-files.ts";
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
    const { sorted } = await listingOf(repo.root, signal);
    const listed = folder === "" ? sorted : sorted.filter((file) => isBelow(file, folder));
    const start = folder === "" ? 0 : folder.length + 1;
    const { found, notes } =
      args.glob === undefined ? { found: listed, notes: [] as string[] } : matching(listed, args.glob, start);
    if (listed.length === 0) notes.push(await whyNoFiles({ repo, files: listed, folder }, signal));
    else if (found.length === 0) {
      notes.push(nearestFiles(sorted, folder, (args.glob ?? "").replace(/^.*\*\*?\//, "")));
      notes.push(await ignoredNote(repo, folder, signal));
    }
    const { items, ...rest } = page(found, args);
    return { repo: repo.name, files: items, total: found.length, ...rest, ...noteOf(...notes) };
  },
});

/** @param start length of the folder's path, with its slash: globs are relative to it */
function matching(listed: readonly string[], glob: string, start: number) {
  const matches = globMatcher(glob);
  const found = listed.filter((file) => matches(file.slice(start)));
  if (found.length > 0) return { found, notes: [] };
  const fromRoot = start === 0 ? [] : listed.filter(matches);
  if (fromRoot.length > 0)
    return {
      found: fromRoot,
      notes: ["The glob was matched from the root of the repository, not from path."],
    };
  const loose = globMatcher(glob, { nocase: true });
  const other = listed.filter((file) => loose(file.slice(start)));
  const notes = [`No file matches the glob ${JSON.stringify(glob)}; ${listed.length} files were compared.`];
  if (other.length > 0) notes.push(`In another case: ${other.slice(0, 5).join(", ")}.`);
  return { found, notes };
}
