import * as z from "zod";
import { globMatcher } from "../workspace/globs.ts";
import { insidePath, isBelow } from "../workspace/paths.ts";
import { ignoredNote, nearestFiles, noteOf, whyNoFiles } from "./answers/no-files.ts";
import { page } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  query: z
    .string()
    .min(1)
    .max(200)
    .describe('Part of a file name or path. Characters may be skipped: "srvconf" finds server/config.ts.'),
  repo: repoArgument,
  path: folderArgument(),
  ...pageArguments(50, 500),
});

const output = z.object({
  repo: z.string(),
  files: z.array(z.string()).describe("Paths relative to the repository root, best match first."),
  total: z.int(),
  ...pageOutput,
});

export const findFiles = defineTool({
  name: "find_files",
  title: "Find files by name",
  description:
    "Finds files of a git repository by part of their name or path (fuzzy match). For globs use list_files.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    const repo = await workspace.find(args.repo);
    const { real: folder } = await insidePath(repo, args.path);
    const files = await workspace.files(repo);
    signal.throwIfAborted();
    const found = rankFiles(files, args.query, folder);
    const { items, ...rest } = page(found, args);
    const notes =
      found.length > 0
        ? []
        : [
            await whyNoFiles({ repo, files, folder }, signal),
            nearestFiles(files, folder, args.query),
            await ignoredNote(repo, folder, signal),
          ];
    return { repo: repo.name, files: items, total: found.length, ...rest, ...noteOf(...notes) };
  },
});

/**
 * The files that match a query: those of a glob, or equal names first, then names that begin with it, names and paths that contain it, and paths that contain its characters in order.
 */
export function rankFiles(files: Iterable<string>, query: string, folder = ""): string[] {
  if (/[*?{]/.test(query)) {
    const matches = globMatcher(query, { nocase: true });
    const found = [...files].filter((file) => isBelow(file, folder) && matches(file));
    if (found.length > 0) return found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  }
  const text = query
    .normalize()
    .toLowerCase()
    .replace(/^\.?\/+/, "");
  const letters = [...text.replace(/[\s/]+/g, "")];
  const scored: { file: string; score: number }[] = [];
  for (const file of files) {
    if (!isBelow(file, folder)) continue;
    const score = scoreOf(file.normalize().toLowerCase(), text, letters);
    if (score !== undefined) scored.push({ file, score });
  }
  scored.sort((a, b) => a.score - b.score || a.file.length - b.file.length || (a.file < b.file ? -1 : 1));
  return scored.map(({ file }) => file);
}

function scoreOf(path: string, text: string, letters: readonly string[]): number | undefined {
  const base = path.slice(path.lastIndexOf("/") + 1);
  if (path === text) return 0;
  if (base === text) return 1;
  if (path.endsWith(`/${text}`)) return 2;
  if (base.startsWith(text)) return 3;
  if (base.includes(text)) return 4;
  if (path.includes(text)) return 5;
  const spread = spreadOf(path, letters);
  return spread === undefined ? undefined : 10 + spread;
}

/** How far apart the letters are in the path, in their order; undefined if one is missing. */
function spreadOf(path: string, letters: readonly string[]): number | undefined {
  let at = -1;
  let first = -1;
  for (const letter of letters) {
    at = path.indexOf(letter, at + 1);
    if (at === -1) return undefined;
    if (first === -1) first = at;
  }
  return letters.length === 0 ? undefined : at - first - letters.length + 1;
}
