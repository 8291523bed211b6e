import { git } from "../../workspace/git.ts";
import { entryAt } from "../../workspace/history.ts";
import { SHALLOW, shallowBoundary } from "../../workspace/refs.ts";
import type { Repository } from "../../workspace/workspace.ts";

interface Filters {
  readonly path: string;
  readonly offset: number;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  readonly changed_text?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Why the last page of a log has no more commits, or none; "" if there is nothing to say. */
export async function logNote(
  repo: Repository,
  filters: Filters,
  commit: string,
  isEmpty: boolean,
  signal: AbortSignal,
): Promise<string> {
  const notes: string[] = [];
  if (isEmpty && filters.offset > 0) notes.push("There are no more commits: lower offset.");
  else if (isEmpty) notes.push(...(await reasons(repo, filters, commit, signal)));
  if ((await shallowBoundary(repo)).size > 0) notes.push(SHALLOW);
  return notes.join(" ");
}

async function reasons(
  repo: Repository,
  filters: Filters,
  commit: string,
  signal: AbortSignal,
): Promise<string[]> {
  const notes: string[] = [];
  const used = (["author", "message", "changed_text", "since", "until"] as const).filter(
    (name) => filters[name] !== undefined,
  );
  if (filters.path !== "" && !(await isKnown(repo, filters.path, commit, signal)))
    notes.push(
      `${JSON.stringify(filters.path)} is not in this commit, and no commit before it changed such a path. Find the path with find_files; names are case-sensitive here.`,
    );
  if (used.length > 0)
    notes.push(
      `No commit matches ${used.map((name) => `${name} ${JSON.stringify(filters[name])}`).join(" and ")}${used.length > 1 ? " at once. Leave one out" : ""}.`,
    );
  if (filters.changed_text !== undefined) notes.push("changed_text is case-sensitive and literal.");
  if (filters.message !== undefined || filters.author !== undefined)
    notes.push("message and author are literal, in any case.");
  for (const name of ["since", "until"] as const) {
    const text = filters[name];
    if (text !== undefined) notes.push(`${name} was understood as ${await dateOf(repo, text, signal)}.`);
  }
  return notes.length > 0 ? notes : ["The range has no commits: its two ends may be in the wrong order."];
}

async function isKnown(
  repo: Repository,
  path: string,
  commit: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (await entryAt(repo, commit, path, signal)) return true;
  const log = ["log", "-1", "--format=%H", "--no-show-signature", commit, "--", path];
  return (await git(repo.root, log, signal, { literal: true })).length > 0;
}

/** git understands any text as a date, also one that is none. */
async function dateOf(repo: Repository, text: string, signal: AbortSignal): Promise<string> {
  const parsed = (await git(repo.root, ["rev-parse", `--since=${text}`], signal)).toString();
  const seconds = Number(/--max-age=(\d+)/.exec(parsed)?.[1]);
  return Number.isFinite(seconds) ? new Date(seconds * 1_000).toISOString() : "no date";
}
