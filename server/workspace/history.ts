import { stateOf } from "./git/state.ts";
import { git } from "./git.ts";
import { keptResult } from "./kept-result.ts";
import type { Repository } from "./workspace.ts";

/**
 * A result that depends on commits, named by their hashes, and on nothing else of the repository. It is computed once and kept in memory (see
 * keptResult).
 *
 * @param what names the result: what is computed, the hashes, and each option; undefined: it depends on more, so it is computed each time
 */
export async function ofCommits<T>(
  repo: Repository,
  what: readonly unknown[] | undefined,
  signal: AbortSignal | undefined,
  compute: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  return keptResult(what && (await keyOf(repo, what)), signal, compute);
}

/** The key under which such a result is kept; undefined if it must not be kept. */
export async function keyOf(repo: Repository, what: readonly unknown[]): Promise<string | undefined> {
  const { historyKey } = await stateOf(repo.root);
  return historyKey && `${historyKey}\0${JSON.stringify(what)}`;
}

export interface TreeEntry {
  /** Octal, such as 100644. */
  readonly mode: string;
  readonly type: string;
  readonly hash: string;
  /** Bytes; undefined for what is not a file. */
  readonly size: number | undefined;
}

/** What a path is at a commit; undefined if it is not there. */
export function entryAt(
  repo: Repository,
  commit: string,
  path: string,
  signal?: AbortSignal,
): Promise<TreeEntry | undefined> {
  return ofCommits(repo, ["entry", commit, path], signal, async (shared) => {
    const args = ["ls-tree", "-z", "-l", "--full-tree", commit, "--", path];
    const listing = (await git(repo.root, args, shared, { literal: true })).toString("utf8");
    const [, mode = "", type = "", hash = "", size] =
      /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(listing) ?? [];
    if (hash === "") return undefined;
    return { mode, type, hash, size: size === "-" ? undefined : Number(size) };
  });
}

/** The parents of a commit. */
export function parentsOf(repo: Repository, commit: string, signal?: AbortSignal): Promise<string[]> {
  return ofCommits(repo, ["parents", commit], signal, async (shared) => {
    const listed = await git(repo.root, ["rev-list", "--parents", "--max-count=1", commit], shared);
    return listed.toString().trim().split(" ").slice(1);
  });
}
