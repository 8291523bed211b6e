import * as z from "zod";
import { insidePath } from "../workspace/paths.ts";
import { page } from "./paging.ts";
import {
  folderArgument,
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  query: z
    .string()
    .min(1)
    .max(200)
    .describe(
      'Part of a name or path; letters in between may be left out: "srvconf" finds server/config.ts.',
    ),
  repo: repoArgument,
  path: folderArgument,
  offset: offsetArgument,
  max_results: maxResults(50, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  files: z.array(z.string()).describe("Paths relative to the repository, the best first."),
  total: z.int(),
  ...pageOutput,
});

export const findFiles = defineTool({
  name: "find_files",
  title: "Find files by name",
  description:
    "Finds files of a git repository by a part of their name, or by letters of their path in order. For globs use list_files.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run({ query, repo: name, path, offset, max_results, max_answer_chars }, { workspace, signal }) {
    const repo = await workspace.find(name);
    const folder = path === "" ? "" : (await insidePath(repo, path)).real;
    const files = await workspace.files(repo);
    signal.throwIfAborted();
    const found = rankFiles(files, query, folder);
    const { items, truncated, next_offset } = page(found, offset, max_results, max_answer_chars);
    return { repo: repo.name, files: items, total: found.length, truncated, next_offset };
  },
});

/** The files that a query may mean: the same name, then names that begin with it, hold it, paths that hold it, and paths with its letters. */
export function rankFiles(files: Iterable<string>, query: string, folder = ""): string[] {
  const wanted = query.toLowerCase().replace(/^\.?\/+/, "");
  const letters = [...wanted.replace(/[\s/]+/g, "")];
  const scored: { file: string; score: number }[] = [];
  for (const file of files) {
    if (folder !== "" && file !== folder && !file.startsWith(`${folder}/`)) continue;
    const score = scoreOf(file.toLowerCase(), wanted, letters);
    if (score !== undefined) scored.push({ file, score });
  }
  scored.sort((a, b) => a.score - b.score || a.file.length - b.file.length || (a.file < b.file ? -1 : 1));
  return scored.map(({ file }) => file);
}

function scoreOf(path: string, wanted: string, letters: readonly string[]): number | undefined {
  const base = path.slice(path.lastIndexOf("/") + 1);
  if (path === wanted) return 0;
  if (base === wanted) return 1;
  if (path.endsWith(`/${wanted}`)) return 2;
  if (base.startsWith(wanted)) return 3;
  if (base.includes(wanted)) return 4;
  if (path.includes(wanted)) return 5;
  const spread = spreadOf(path, letters);
  return spread === undefined ? undefined : 10 + spread;
}

/** How far apart the letters lie in the path, in their order; undefined when it lacks one. */
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
