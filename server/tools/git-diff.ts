import * as z from "zod";
import { beginning, sizeOf } from "../answer-size.ts";
import { git } from "../workspace/git.ts";
import { checkPath } from "../workspace/paths.ts";
import { shallowBoundary } from "../workspace/refs.ts";
import { emptyTree, forkPoint, resolveRevision, revisionRange } from "../workspace/revisions.ts";
import type { Repository } from "../workspace/workspace.ts";
import { pageFrom } from "./paging.ts";
import { folderArgument, pageArguments, pageOutput, repoArgument, revisionArgument } from "./schema.ts";
import { defineTool } from "./tool.ts";

const input = z.object({
  repo: repoArgument,
  commit: revisionArgument(
    'Show the changes of this commit, or of a range ("v1..main"), instead of from and to.',
  ).optional(),
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
      renamed_from: z.string().optional(),
      added: z.int().nullable().describe("Lines added; null for a binary file."),
      removed: z.int().nullable().describe("Lines removed."),
      patch: z.string().describe("Unified diff; empty with stat_only or for a binary file."),
      patch_truncated: z.boolean(),
    }),
  ),
  total: z.int().describe("Number of changed files."),
  ...pageOutput,
});

const FIXED = ["--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--ignore-submodules=all"];

export const gitDiff = defineTool({
  name: "git_diff",
  title: "Diff",
  description:
    "Shows the changes between two revisions, of one commit, or of the work tree since a commit, file by file.",
  scope: "code:read",
  needs: ["git"],
  input,
  output,
  text: diffText,
  async run(args, { workspace, signal, progress }) {
    const repo = await workspace.find(args.repo);
    const path = checkPath(repo, args.path);
    const { from, to, notes } = await sides(repo, args, signal);
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
          : await patchOf(repo, range, file, args.context, left, signal);
      const kept = beginning(patch, Math.max(0, left));
      rows.push({ ...file, patch: kept, patch_truncated: kept.length < patch.length });
      left -= sizeOf(rows.at(-1));
      if (left <= 0) break;
    }
    const more = args.offset + rows.length < all.length;
    // The names and counts of the last file may go a little beyond the limit.
    const limits = { ...args, max_answer_chars: args.max_answer_chars + 1_000 };
    const { items, ...rest } = pageFrom(rows, limits, more);
    if (to === undefined) notes.push(...(await untracked(repo, path, signal)));
    if (all.length === 0) notes.push(...(await whyNoChanges(repo, from, to, path, signal)));
    return {
      repo: repo.name,
      from,
      to: to ?? "work tree",
      files: items,
      total: all.length,
      ...rest,
      ...(notes.length > 0 ? { note: notes.join(" ") } : {}),
    };
  },
});

interface Sides {
  from: string;
  /** undefined: the work tree. */
  to: string | undefined;
  notes: string[];
}

async function sides(repo: Repository, args: z.output<typeof input>, signal: AbortSignal): Promise<Sides> {
  const range = revisionRange(args.commit ?? args.from) ?? (args.to && revisionRange(args.to));
  if (range) {
    const [from, to] = await Promise.all([
      resolveRevision(repo, range.from, signal),
      resolveRevision(repo, range.to, signal),
    ]);
    const fork = range.sinceFork ? await forkPoint(repo, from, to, signal) : from;
    return { from: fork ?? from, to, notes: [] };
  }
  if (args.commit === undefined)
    return {
      from: await resolveRevision(repo, args.from, signal),
      to: args.to === undefined ? undefined : await resolveRevision(repo, args.to, signal),
      notes: [],
    };
  return changesOf(repo, await resolveRevision(repo, args.commit, signal), signal);
}

/** A commit and its first parent. A first commit has none, and a shallow copy lacks that of its oldest commit. */
async function changesOf(repo: Repository, to: string, signal: AbortSignal): Promise<Sides> {
  const listed = await git(repo.root, ["rev-list", "--parents", "--max-count=1", to], signal);
  const [, from, ...others] = listed.toString().trim().split(" ");
  if (from !== undefined)
    return {
      from,
      to,
      notes:
        others.length === 0
          ? []
          : [
              `This is a merge, compared with its first parent. For the others use from: ${others.map((hash) => hash.slice(0, 12)).join(", ")}.`,
            ],
    };
  const cut = (await shallowBoundary(repo)).has(to);
  return {
    from: emptyTree(to),
    to,
    notes: cut
      ? [
          "The parent of this commit is not in this shallow copy, so each file is shown as added (git fetch --unshallow gets it).",
        ]
      : [],
  };
}

/** Untracked files are no part of a diff, but of the work tree. */
async function untracked(repo: Repository, path: string, signal: AbortSignal): Promise<string[]> {
  const args = ["ls-files", "-z", "--others", "--exclude-standard", "--", ...(path === "" ? [] : [path])];
  const files = (await git(repo.root, args, signal, { literal: true }))
    .toString("utf8")
    .split("\0")
    .filter(Boolean);
  if (files.length === 0) return [];
  const more = files.length > 10 ? ` and ${files.length - 10} more` : "";
  return [
    `New files that git does not track yet are not in the diff: ${files.slice(0, 10).join(", ")}${more}.`,
  ];
}

async function whyNoChanges(
  repo: Repository,
  from: string,
  to: string | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (from === to) return ["Both revisions are the same commit."];
  if (path !== "") {
    const entries = ["ls-tree", "--name-only", "--full-tree", from, "--", path];
    if ((await git(repo.root, entries, signal, { literal: true })).length === 0)
      return [
        `${JSON.stringify(path)} is in neither revision, or is the same. Find the path with find_files.`,
      ];
    return [`${JSON.stringify(path)} is the same in both.`];
  }
  return [
    to === undefined
      ? "The work tree has no changes of tracked files. For a past change pass commit, or from and to."
      : "The files of both revisions are the same.",
  ];
}

/** The patch of one file without git's header lines, read only as far as needed. */
async function patchOf(
  repo: Repository,
  range: readonly string[],
  file: { path: string; renamed_from?: string },
  context: number,
  maxChars: number,
  signal: AbortSignal,
): Promise<string> {
  const paths = file.renamed_from === undefined ? [file.path] : [file.renamed_from, file.path];
  const args = ["diff", `--unified=${context}`, ...FIXED, ...range, "--", ...paths];
  const firstBytes = (maxChars + 10_000) * 4;
  const text = (await git(repo.root, args, signal, { literal: true, firstBytes })).toString("utf8");
  const hunks = text.indexOf("\n@@");
  return hunks === -1 ? "" : text.slice(hunks + 1);
}

/** Entries are `added TAB removed TAB path NUL`, for a rename `added TAB removed TAB NUL old NUL new NUL`; "-" means binary. */
export function parseNumstat(text: string) {
  const files: { path: string; renamed_from?: string; added: number | null; removed: number | null }[] = [];
  const count = (n: string | undefined) => (n === "-" ? null : Number(n));
  const entries = text.split("\0");
  for (let n = 0; n < entries.length; n++) {
    const parts = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(entries[n] ?? "");
    if (!parts) continue;
    const counts = { added: count(parts[1]), removed: count(parts[2]) };
    if (parts[3]) files.push({ path: parts[3], ...counts });
    else files.push({ path: entries[n + 2] ?? "", renamed_from: entries[n + 1] ?? "", ...counts });
    if (!parts[3]) n += 2;
  }
  return files;
}

function diffText({ from, to, files }: z.output<typeof output>): string {
  const side = (revision: string) => (/^[0-9a-f]{40,}$/.test(revision) ? revision.slice(0, 12) : revision);
  const parts = files.map(({ path, renamed_from, added, removed, patch, patch_truncated }) =>
    [
      `${renamed_from === undefined ? "" : `${renamed_from} => `}${path}: ${added === null ? "binary" : `+${added} -${removed}`}`,
      ...(patch === "" ? [] : [patch.trimEnd()]),
      ...(patch_truncated ? ["(The patch is cut. Call again with this path alone.)"] : []),
    ].join("\n"),
  );
  return [`${side(from)}..${side(to)}`, ...(parts.length === 0 ? ["No changes."] : parts)].join("\n");
}
