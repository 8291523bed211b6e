import { distance } from "fastest-levenshtein";
import { stateOf } from "./git/state.ts";
import { git } from "./git.ts";
import { keptResult } from "./kept-result.ts";
import type { Repository } from "./workspace.ts";

/** A branch, remote branch or tag. */
export interface Ref {
  /** Full name: `refs/heads/main`. */
  readonly full: string;
  /** Name without its kind: `main`, `origin/main`, `v1`. */
  readonly short: string;
  readonly kind: "heads" | "remotes" | "tags";
}

const KINDS = ["heads", "tags", "remotes"] as const;

/** The branches, tags and remote branches, in this order, each by its last commit, newest first. */
export async function refsOf(repo: Repository, signal?: AbortSignal): Promise<readonly Ref[]> {
  const { refsKey } = await stateOf(repo.root, signal);
  return keptResult(refsKey && `refs\0${refsKey}`, signal, (shared) => listRefs(repo.root, shared));
}

async function listRefs(root: string, signal: AbortSignal | undefined): Promise<Ref[]> {
  const args = [
    "for-each-ref",
    "--sort=-creatordate",
    "--format=%(refname)",
    ...KINDS.map((kind) => `refs/${kind}`),
  ];
  const names = (await git(root, args, signal)).toString("utf8").split("\n").filter(Boolean);
  return KINDS.flatMap((kind) => {
    const prefix = `refs/${kind}/`;
    return names
      .filter((full) => full.startsWith(prefix) && full !== `${prefix}origin/HEAD`)
      .map((full) => ({ full, short: full.slice(prefix.length), kind }));
  });
}

/**
 * The refs that a name stands for, if git itself does not know the name: a remote's branch without the remote, a branch with a remote that
 * this copy does not have, other case.
 */
export function refsLike(refs: readonly Ref[], name: string): Ref[] {
  const bare = name.replace(/^refs\/(heads|tags|remotes)\//, "");
  const inRemote = (short: string) => short.slice(short.indexOf("/") + 1);
  const fits: ((ref: Ref) => boolean)[] = [
    ({ short }) => short === bare,
    ({ kind, short }) => kind === "remotes" && inRemote(short) === bare,
    ({ kind, short }) => kind !== "remotes" && /^(origin|upstream)\//.test(bare) && short === inRemote(bare),
    ({ short }) => short.toLowerCase() === bare.toLowerCase(),
  ];
  for (const fit of fits) {
    const found = refs.filter(fit);
    const ofOrigin = found.filter(({ short, kind }) => kind === "remotes" && short.startsWith("origin/"));
    if (found.length > 0) return ofOrigin.length === 1 ? ofOrigin : found;
  }
  return [];
}

/** Up to five names that are most like a name. */
export function nearestNames(names: Iterable<string>, name: string, most = 5): string[] {
  const wanted = name.toLowerCase();
  const scored = [...new Set(names)].map((one) => {
    const other = one.toLowerCase();
    const contains = other.includes(wanted) || wanted.includes(other);
    return {
      one,
      score: distance(wanted, other) / Math.max(wanted.length, other.length) - (contains ? 0.5 : 0),
    };
  });
  return scored
    .filter(({ score }) => score <= 0.5)
    .sort((a, b) => a.score - b.score || (a.one < b.one ? -1 : 1))
    .slice(0, most)
    .map(({ one }) => one);
}

/** The commits at which a shallow history ends: their parents are not in this copy. Empty if the history is complete. */
export async function shallowBoundary(repo: Repository): Promise<ReadonlySet<string>> {
  return (await stateOf(repo.root)).shallow;
}

export const SHALLOW =
  "This copy has a shallow history: older commits are not in it (git fetch --unshallow gets them).";
