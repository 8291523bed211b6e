import { type ByteCache, repositoryCache, sizeInMemory } from "../../workspace/byte-cache.ts";
import { git } from "../../workspace/git.ts";
import { keyOf } from "../../workspace/history.ts";
import type { Repository } from "../../workspace/workspace.ts";
import { type Commit, LOG_FORMAT, parseLog } from "./commits.ts";

/** Longest search in one call, milliseconds. git compares each file that a commit changed, which can take seconds for one commit. */
const SEARCH_MS = 8_000;
/** Time that one git process should take, milliseconds: how often the progress is reported, and how well SEARCH_MS is kept. */
const STEP_MS = 500;
const DIFF = ["--no-textconv", "--no-ext-diff"];
/** Commits of the first step, unless the search names another number. */
const FIRST_STEP = 64;

export interface ChangedTextSearch {
  readonly text: string;
  /** Options and arguments of git log that select the commits to search, without the path. */
  readonly selection: readonly string[];
  /** "" for the whole tree. */
  readonly path: string;
  /** Whether the path is a file, which is followed through renames. */
  readonly follow: boolean;
  /** The search ends when it has this number of commits. */
  readonly enough: number;
  /** The selection depends on this too. Undefined: it may be another one at the next call, such as with dates relative to the current time. */
  readonly depends: string | undefined;
  /** Reports how many of the commits are searched. */
  readonly progress?: ((done: number, total: number, message: string) => void) | undefined;
  /** Time after which no new step begins, milliseconds. Default: 8,000. */
  readonly searchMs?: number | undefined;
  /** Commits of the first step. Default: 64. */
  readonly firstStep?: number | undefined;
}

export interface ChangedText {
  readonly commits: readonly Commit[];
  /** Number of commits searched, the newest first. */
  readonly searched: number;
  /** Number of commits that the selection has. */
  readonly total: number;
  /** Hash of the last commit searched; "" if there is none. */
  readonly last: string;
  readonly isComplete: boolean;
}

const NOTHING: ChangedText = { commits: [], searched: 0, total: 0, last: "", isComplete: false };

/**
 * Finds the commits that added or removed a text, in steps. If the time is over, it returns what it has found so far, and the next call with
 * the same selection continues there.
 *
 * @throws ToolError if git fails
 */
export async function commitsWithChangedText(
  repo: Repository,
  search: ChangedTextSearch,
  signal: AbortSignal,
  cache: ByteCache = repositoryCache,
): Promise<ChangedText> {
  const { text, selection, path, follow, progress, depends, enough } = search;
  const key = depends && (await keyOf(repo, ["changed text", text, selection, path, depends]));
  let found = (key && cache.get<ChangedText>(key)) || NOTHING;
  if (found.isComplete || found.commits.length >= enough) return found;
  const until = performance.now() + (search.searchMs ?? SEARCH_MS);
  const commits = await commitsOf(repo, search, signal);
  const total = commits.length;
  found = { ...found, total, isComplete: found.searched === total };
  let step = search.firstStep ?? FIRST_STEP;
  // At least one step, so that repeated calls come to an end.
  while (!found.isComplete && found.commits.length < enough) {
    progress?.(found.searched, total, `searched ${found.searched} of ${total} commits`);
    const began = performance.now();
    const some = commits.slice(found.searched, found.searched + step);
    const input = some.map(({ hash }) => hash).join("\n");
    const args = [
      "log",
      "--no-walk=unsorted",
      "--stdin",
      ...LOG_FORMAT,
      `-S${text}`,
      ...DIFF,
      ...pathspec(follow, some[0]?.path ?? path),
    ];
    const output = await git(repo.root, args, signal, { literal: true, input });
    const searched = found.searched + some.length;
    found = {
      commits: [...found.commits, ...parseLog(output.toString("utf8"))],
      searched,
      total,
      last: some.at(-1)?.hash ?? "",
      isComplete: searched === total,
    };
    if (key) cache.set(key, structuredClone(found), 2 * key.length + sizeInMemory(found));
    const took = Math.max(1, performance.now() - began);
    if (performance.now() > until) break;
    step = Math.min(10_000, Math.max(1, Math.round((some.length * STEP_MS) / took)));
  }
  return found;
}

/** With `--follow`, git goes on with the former name after each commit that renamed the file, in the order in which it reads the commits. */
const pathspec = (follow: boolean, path: string) => [
  ...(follow ? ["--follow"] : []),
  "--",
  ...(path === "" ? [] : [path]),
];

/** The commits to search, each with the name that the followed file has there. */
async function commitsOf(
  repo: Repository,
  { selection, path, follow }: ChangedTextSearch,
  signal: AbortSignal,
): Promise<{ hash: string; path: string }[]> {
  const names = follow ? ["--name-only"] : [];
  const args = ["log", "-z", "--format=%H", ...names, ...selection, ...pathspec(follow, path)];
  const output = await git(repo.root, args, signal, { literal: true });
  const commits: { hash: string; path: string }[] = [];
  // A name follows its commit, behind a line break.
  for (const entry of output.toString("utf8").split("\0")) {
    const last = commits.at(-1);
    if (!entry.startsWith("\n")) {
      if (entry !== "") commits.push({ hash: entry, path: last?.path ?? path });
    } else if (last) last.path = entry.slice(1);
  }
  return commits;
}
