import * as z from "zod";
import { beginning, sizeOf } from "../answer-size.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { checkPath } from "../workspace/paths.ts";
import { EMPTY_TREE, resolveRevision } from "../workspace/revisions.ts";
import type { Repository } from "../workspace/workspace.ts";
import { pageFrom } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument, revisionArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  commit: revisionArgument("Show the changes of this commit, instead of from and to.").optional(),
  from: revisionArgument("Old revision.").default("HEAD"),
  to: revisionArgument("New revision. Default: the work tree, with uncommitted changes.").optional(),
  path: folderArgument(),
  context: z.int().min(0).max(50).default(3).describe("Lines of context around each change."),
  stat_only: z.boolean().default(false).describe("Only list the changed files with line counts."),
  ...pageArguments(100, 500),
});

const output = z.object({
  repo: z.string(),
  from: z.string(),
  to: z.string().describe('A commit, or "work tree".'),
  files: z.array(
    z.object({
      path: z.string(),
      added: z.int().nullable().describe("Lines added; null for a binary file."),
      removed: z.int().nullable().describe("Lines removed."),
      patch: z.string().describe("Unified diff; empty with stat_only or for a binary file."),
      patch_truncated: z.boolean(),
    }),
  ),
  total: z.int().describe("Number of changed files."),
  ...pageOutput,
});

const FIXED = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all"];

export const gitDiff = defineTool({
  name: "git_diff",
  title: "Diff",
  description:
    "Shows the changes between two revisions, of one commit, or of the work tree since a commit, file by file.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal, progress }) {
    const repo = await workspace.find(args.repo);
    const path = checkPath(repo, args.path);
    const { from, to } = await sides(repo, args, signal);
    const range = to === undefined ? [from] : [from, to];
    const where = path === "" ? [] : [path];
    const stat = await git(
      repo.root,
      ["diff", "--numstat", "-z", ...FIXED, ...range, "--", ...where],
      signal,
      { literal: true },
    );
    const all = parseNumstat(stat.toString("utf8"));
    const rows = [];
    let left = args.max_answer_chars;
    const selected = all.slice(args.offset, args.offset + args.max_results);
    for (const file of selected) {
      progress?.(rows.length, selected.length, `diff of ${file.path}`);
      const patch =
        args.stat_only || file.added === null
          ? ""
          : await patchOf(repo, range, file.path, args.context, left, signal);
      const kept = beginning(patch, Math.max(0, left));
      rows.push({ ...file, patch: kept, patch_truncated: kept.length < patch.length });
      left -= sizeOf(rows.at(-1));
      if (left <= 0) break;
    }
    const more = args.offset + rows.length < all.length;
    // The names and counts of the last file may go a little beyond the limit.
    const limits = { ...args, max_answer_chars: args.max_answer_chars + 1_000 };
    const { items, ...rest } = pageFrom(rows, limits, more);
    return { repo: repo.name, from, to: to ?? "work tree", files: items, total: all.length, ...rest };
  },
});

async function sides(
  repo: Repository,
  args: z.output<typeof input>,
  signal: AbortSignal,
): Promise<{ from: string; to: string | undefined }> {
  if (args.commit === undefined)
    return {
      from: await resolveRevision(repo, args.from, signal),
      to: args.to === undefined ? undefined : await resolveRevision(repo, args.to, signal),
    };
  const to = await resolveRevision(repo, args.commit, signal);
  const from = await resolveRevision(repo, `${to}^`, signal).catch((error: Error) => {
    // A first commit has no parent.
    if (error instanceof ToolError) return EMPTY_TREE;
    throw error;
  });
  return { from, to };
}

/** The patch of one file without git's header lines, read only as far as needed. */
async function patchOf(
  repo: Repository,
  range: readonly string[],
  path: string,
  context: number,
  maxChars: number,
  signal: AbortSignal,
): Promise<string> {
  const args = ["diff", `--unified=${context}`, ...FIXED, ...range, "--", path];
  const firstBytes = (maxChars + 10_000) * 4;
  const text = (await git(repo.root, args, signal, { literal: true, firstBytes })).toString("utf8");
  const hunks = text.indexOf("\n@@");
  return hunks === -1 ? "" : text.slice(hunks + 1);
}

/** Entries are `added TAB removed TAB path NUL`; "-" means binary. */
export function parseNumstat(text: string) {
  return text.split("\0").flatMap((entry) => {
    const parts = /^(\d+|-)\t(\d+|-)\t([\s\S]+)$/.exec(entry);
    if (!parts) return [];
    const count = (n: string | undefined) => (n === "-" ? null : Number(n));
    return [{ path: parts[3] ?? "", added: count(parts[1]), removed: count(parts[2]) }];
  });
}
