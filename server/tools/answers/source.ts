import * as z from "zod";
import { headCommit } from "../../index/work-tree.ts";
import { git } from "../../workspace/git.ts";
import type { Sync } from "../../workspace/sync/sync.ts";
import type { Repository } from "../../workspace/workspace.ts";

/** Which state of the repository a response is from. */
export const sourceOutput = z.object({
  commit: z.string().describe('Commit that is checked out, or that was asked for; "" if there is none.'),
  committed_at: z.string().describe('Its commit date, ISO 8601; "" if there is none.'),
  fetched_at: z.string().optional().describe("Last successful fetch of a copy of a remote."),
});

export type Source = z.output<typeof sourceOutput>;

/** Commit dates by repository and commit: they never change. */
const dates = new Map<string, string>();
const MAX_DATES = 5_000;

/** @param commit Default: the commit that is checked out */
export async function sourceOf(
  { sync, signal }: { readonly sync?: Sync | undefined; readonly signal: AbortSignal },
  repo: Repository,
  commit?: string,
): Promise<Source> {
  const hash = commit ?? (await headCommit(repo.root, signal));
  const fetched = sync?.state(repo.name)?.at;
  return {
    commit: hash,
    committed_at: hash === "" ? "" : await commitDate(repo, hash, signal),
    ...(fetched === undefined ? {} : { fetched_at: fetched }),
  };
}

async function commitDate(repo: Repository, commit: string, signal: AbortSignal): Promise<string> {
  const key = `${repo.root}\0${commit}`;
  const known = dates.get(key);
  if (known !== undefined) return known;
  const args = ["log", "-1", "--no-show-signature", "--format=%ct", commit, "--"];
  const seconds = Number((await git(repo.root, args, signal).catch(() => "")).toString().trim());
  if (!(seconds > 0)) return "";
  const date = new Date(seconds * 1_000).toISOString();
  dates.set(key, date);
  for (const oldest of dates.keys()) {
    if (dates.size <= MAX_DATES) break;
    dates.delete(oldest);
  }
  return date;
}

/** For people and models: `sample at 3f2a91c0de12, committed 2 hours ago, fetched 5 minutes ago`. */
export function describeSource(repo: string, source: Source, now = Date.now()): string {
  if (source.commit === "") return `${repo}, without commits`;
  const parts = [`${repo} at ${source.commit.slice(0, 12)}`];
  if (source.committed_at !== "") parts.push(`committed ${age(source.committed_at, now)}`);
  if (source.fetched_at !== undefined) parts.push(`fetched ${age(source.fetched_at, now)}`);
  return parts.join(", ");
}

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

function age(date: string, now: number): string {
  const seconds = (now - Date.parse(date)) / 1_000;
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}
