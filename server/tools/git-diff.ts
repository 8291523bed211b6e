import { join } from "node:path";
import * as z from "zod";
import { beginning, sizeOf } from "../answer-size.ts";
import { listingOf } from "../workspace/git/listing.ts";
import { stateOf } from "../workspace/git/state.ts";
import { git } from "../workspace/git.ts";
import { entryAt, ofCommits, parentsOf, spelledAt } from "../workspace/history.ts";
import { checkPath, isBelow } from "../workspace/paths.ts";
import { shallowBoundary } from "../workspace/refs.ts";
import { emptyTree, forkPoint, resolveRevision, revisionRange } from "../workspace/revisions.ts";
import { Snapshot } from "../workspace/snapshot.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import { type ChangedFile, FIXED, Patches, parseNumstat } from "./diff/patches.ts";
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
    const { from, to, notes } = await sides(repo, args, signal);
    const path = await spelledIn(repo, [to ?? from, from], checkPath(repo, args.path), signal);
    progress?.(0, undefined, `diff of ${from.slice(0, 12)} and ${to?.slice(0, 12) ?? "the work tree"}`);
    const compared: Compared = { repo, from, to, path, attributes: await attributesKey(workspace, repo) };
    const { context, stat_only, offset, max_results, max_answer_chars } = args;
    const what = ["diff", path, context, stat_only, offset, max_results, max_answer_chars];
    const result = await ofSides(compared, what, signal, (shared = signal) =>
      readDiff(compared, args, shared),
    );
    if (to === undefined) notes.push(...(await untracked(repo, path, signal)));
    if (result.total === 0) notes.push(...(await whyNoChanges(repo, from, to, path, signal)));
    return {
      repo: repo.name,
      from,
      to: to ?? "work tree",
      ...result,
      ...(notes.length > 0 ? { note: notes.join(" ") } : {}),
    };
  },
});

/** The path as one of the commits spells it. */
async function spelledIn(
  repo: Repository,
  commits: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<string> {
  for (const commit of commits) {
    const spelled = await spelledAt(repo, commit, path, signal);
    if (spelled !== path) return spelled;
    if (path === "" || (await entryAt(repo, commit, path, signal))) return path;
  }
  return path;
}

interface Compared {
  readonly repo: Repository;
  /** Hash of a commit or tree. */
  readonly from: string;
  /** Hash of a commit; undefined: the work tree. */
  readonly to: string | undefined;
  /** "" for all files. */
  readonly path: string;
  /** See attributesKey. */
  readonly attributes: string | undefined;
}

/** Which files are binary, and which line is the head of a hunk, depends on the attribute files of the work tree, of the index and of the repository. */
async function attributesKey(workspace: Workspace, repo: Repository): Promise<string | undefined> {
  const [files, { gitDir, commonDir }] = await Promise.all([
    workspace.attributeFiles(repo).catch(() => undefined),
    stateOf(repo.root),
  ]);
  if (!files) return undefined;
  const began = Date.now();
  const snapshot = new Snapshot({
    paths: [...files, join(gitDir, "index"), join(commonDir, "info", "attributes")],
  });
  return snapshot.isSettled(began) ? snapshot.key : undefined;
}

/** A result about two commits is kept in memory. One about the work tree is not: git compares its files each time. */
function ofSides<T>(
  { repo, from, to, attributes }: Compared,
  what: readonly unknown[],
  signal: AbortSignal,
  compute: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const isKept = to !== undefined && attributes !== undefined;
  return ofCommits(repo, isKept ? [...what, from, to, attributes] : undefined, signal, compute);
}

async function readDiff(compared: Compared, args: z.output<typeof input>, signal: AbortSignal) {
  const { repo, from, to, path } = compared;
  const range = to === undefined ? [from] : [from, to];
  const changed = await ofSides(compared, ["numstat", path], signal, async (shared) => {
    const options = ["diff", "--numstat", "-z", ...FIXED, ...range, "--", ...(path === "" ? [] : [path])];
    return parseNumstat((await git(repo.root, options, shared, { literal: true })).toString("utf8"));
  });
  const all = path === "" ? changed : withRenames(changed, await renamesOf(compared, signal, changed));
  const selected = all.slice(args.offset, args.offset + args.max_results);
  const patches = new Patches({ repo, range, context: args.context });
  if (!args.stat_only) await patches.read(selected, args.max_answer_chars, signal);
  const rows = [];
  let left = args.max_answer_chars;
  for (const file of selected) {
    const patch = args.stat_only ? "" : await patches.of(file, left, signal);
    const kept = beginning(patch, Math.max(0, left));
    rows.push({ ...file, patch: kept, patch_truncated: kept.length < patch.length });
    left -= sizeOf(rows.at(-1));
    if (left <= 0) break;
  }
  const more = args.offset + rows.length < all.length;
  // The names and counts of the last file may go a little beyond the limit.
  const limits = { ...args, max_answer_chars: args.max_answer_chars + 1_000 };
  const { items, ...rest } = pageFrom(rows, limits, more);
  return { files: items, total: all.length, ...rest };
}

/** The renames from or to the path. With a path git shows only one of the two files, as added or removed. */
async function renamesOf(
  compared: Compared,
  signal: AbortSignal,
  changed: readonly ChangedFile[],
): Promise<ChangedFile[]> {
  const { from, to, path } = compared;
  if (!changed.some(({ added, removed }) => added === 0 || removed === 0)) return [];
  const renames = await ofSides(compared, ["renames"], signal, async (shared) => {
    const range = to === undefined ? [from] : [from, to];
    const options = ["diff", "--numstat", "-z", "--diff-filter=R", ...FIXED, ...range, "--"];
    return parseNumstat((await git(compared.repo.root, options, shared)).toString("utf8"));
  });
  return renames.filter((file) => [file.path, file.renamed_from ?? ""].some((one) => isBelow(one, path)));
}

function withRenames(changed: readonly ChangedFile[], renames: readonly ChangedFile[]): ChangedFile[] {
  const both = new Set(renames.flatMap((file) => [file.path, file.renamed_from ?? ""]));
  return [...changed.filter(({ path }) => !both.has(path)), ...renames].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

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
  const [from, ...others] = await parentsOf(repo, to, signal);
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
  const files = (await listingOf(repo.root, signal)).untracked.filter((file) => isBelow(file, path));
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
    if (!(await entryAt(repo, from, path, signal)))
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

function diffText({ from, to, files }: z.output<typeof output>): string {
  const side = (revision: string) => (/^[0-9a-f]{40,}$/.test(revision) ? revision.slice(0, 12) : revision);
  const parts = files.map(({ path, renamed_from, added, removed, patch, patch_truncated }) =>
    [
      `${renamed_from === undefined ? "" : `${renamed_from} => `}${path}: ${added === null ? "binary" : `+${added} -${removed}`}`,
      ...(patch === "" ? [] : [patch.trimEnd()]),
      ...(patch_truncated
        ? [
            files.length > 1
              ? "(The patch is cut. Call again with this path alone.)"
              : "(The patch is cut. Raise max_answer_chars, or read the file with read_file and revision.)",
          ]
        : []),
    ].join("\n"),
  );
  return [`${side(from)}..${side(to)}`, ...(parts.length === 0 ? ["No changes."] : parts)].join("\n");
}
