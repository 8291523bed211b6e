import * as z from "zod";
import { beginning, sizeOf } from "../answer-size.ts";
import { ToolError } from "../tool-error.ts";
import { git } from "../workspace/git.ts";
import { checkPath } from "../workspace/paths.ts";
import { EMPTY_TREE, resolveRevision } from "../workspace/revisions.ts";
import type { Repository } from "../workspace/workspace.ts";
import { page } from "./paging.ts";
import {
  maxAnswerChars,
  maxResults,
  offsetArgument,
  pageOutput,
  repoArgument,
  revisionArgument,
} from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  commit: revisionArgument("Show what this one commit changed; instead of from and to.").optional(),
  from: revisionArgument("The older side.").default("HEAD"),
  to: revisionArgument(
    "The newer side. Default: the files as they lie in the work tree, uncommitted changes with them.",
  ).optional(),
  path: z.string().max(4096).default("").describe("Only this file or folder."),
  context: z.int().min(0).max(50).default(3).describe("Lines round each change."),
  stat_only: z.boolean().default(false).describe("Only which files changed and by how much."),
  offset: offsetArgument.describe("Files to skip: next_offset of the answer before, to go on."),
  max_results: maxResults(100, 500),
  max_answer_chars: maxAnswerChars,
});

const output = z.object({
  repo: z.string(),
  from: z.string(),
  to: z.string().describe('A commit, or "work tree".'),
  files: z.array(
    z.object({
      path: z.string(),
      added: z.int().nullable().describe("Lines; null for a binary file."),
      removed: z.int().nullable(),
      patch: z.string().describe("Unified diff; empty with stat_only and for binary files."),
      patch_truncated: z.boolean(),
    }),
  ),
  total: z.int().describe("Changed files in all."),
  ...pageOutput,
});

const FIXED = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all"];

export const gitDiff = defineTool({
  name: "git_diff",
  title: "Differences",
  description:
    "Shows what changed between two revisions, in one commit, or in the work tree since a commit, file by file.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  async run(args, { workspace, signal }) {
    const repo = await workspace.find(args.repo);
    const path = checkPath(args.path);
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
    for (const file of all.slice(args.offset, args.offset + args.max_results)) {
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
    const { items, ...rest } = page(rows, 0, args.max_results, args.max_answer_chars + 1_000, more);
    return {
      repo: repo.name,
      from,
      to: to ?? "work tree",
      files: items,
      total: all.length,
      truncated: rest.truncated,
      next_offset: rest.next_offset === null ? null : args.offset + rest.next_offset,
    };
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

/** One file's patch without git's header lines, read only as far as it is needed. */
async function patchOf(
  repo: Repository,
  range: readonly string[],
  path: string,
  context: number,
  maxChars: number,
  signal: AbortSignal,
): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const onChunk = (chunk: Buffer) => {
    pieces.push(chunk);
    bytes += chunk.length;
    return bytes <= (maxChars + 10_000) * 4;
  };
  await git(repo.root, ["diff", `--unified=${context}`, ...FIXED, ...range, "--", path], signal, {
    literal: true,
    onChunk,
  });
  const text = Buffer.concat(pieces).toString("utf8");
  const hunks = text.indexOf("\n@@");
  return hunks === -1 ? "" : text.slice(hunks + 1);
}

/** `added TAB removed TAB path NUL`; "-" stands for binary. */
export function parseNumstat(text: string) {
  return text.split("\0").flatMap((entry) => {
    const parts = /^(\d+|-)\t(\d+|-)\t([\s\S]+)$/.exec(entry);
    if (!parts) return [];
    const count = (n: string | undefined) => (n === "-" ? null : Number(n));
    return [{ path: parts[3] ?? "", added: count(parts[1]), removed: count(parts[2]) }];
  });
}
