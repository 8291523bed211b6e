import { LimitReached } from "../shares/limit-reached.ts";
import { ToolError } from "../tool-error.ts";
import type { ReadObject } from "./git/object-reader.ts";
import { withObjects } from "./git/objects.ts";
import { stateOf } from "./git/state.ts";
import { git } from "./git.ts";
import { entryAt, ofCommits, spelledAt } from "./history.ts";
import { keptResult } from "./kept-result.ts";
import { checkPath } from "./paths.ts";
import { nearestNames, type Ref, refsLike, refsOf, SHALLOW, shallowBoundary } from "./refs.ts";
import type { Repository } from "./workspace.ts";

/** The empty tree of git, which a first commit is compared with, in the hash function of a commit (SHA-1 or SHA-256). */
export const emptyTree = (commit: string) =>
  commit.length === 64
    ? "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
    : "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/**
 * Resolves a caller's revision (a hash, branch, tag, `HEAD~2`) to the hash of a commit. A name that git does not know stands for the one
 * branch or tag that is like it (see refsLike).
 *
 * @throws ToolError if there is none
 */
export async function resolveRevision(
  repo: Repository,
  revision: string,
  signal?: AbortSignal,
): Promise<string> {
  // It must not be an option, or end the argument.
  if (/^-|[\0\n]/.test(revision))
    throw new ToolError(`${JSON.stringify(revision)} is not a revision. Name a branch, tag, hash or HEAD~1.`);
  const exact = await commitOf(repo, revision, signal);
  if (exact !== undefined) return exact;
  const [, name = "", steps = ""] = /^(.*?)([~^@].*)?$/s.exec(revision.trim()) ?? [];
  const refs = await refsOf(repo, signal);
  const found = new Set<string>();
  for (const ref of refsLike(refs, name)) {
    const hash = await commitOf(repo, `${ref.full}${steps}`, signal);
    if (hash !== undefined) found.add(hash);
  }
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  throw new ToolError(await unknownRevision(repo, revision, name, refs));
}

/** Names that may stand for another commit although no ref has changed: `ORIG_HEAD`, `worktrees/other/HEAD`, `main@{yesterday}`. */
const CHANGES_ALONE = /^(?!HEAD\b)[A-Z_-]+(?=$|[~^@])|^(main-worktree|worktrees)\/|@\{/;

/** @returns undefined for what git does not know. That is never kept: the commit may come without a change of the refs. */
async function commitOf(
  repo: Repository,
  revision: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { refsKey } = await stateOf(repo.root, signal);
  const key = refsKey && !CHANGES_ALONE.test(revision) ? `commit\0${refsKey}\0${revision}` : undefined;
  try {
    return await keptResult(key, signal, (shared) => resolvedBy(repo.root, revision, shared));
  } catch (error) {
    if (!(error instanceof ToolError) || error instanceof LimitReached) throw error;
    return undefined;
  }
}

/** Names for which git reads the whole history, so that the process would keep it in memory: `:/text`, `main^{/text}`. */
const SEARCHES = /\/.*\}|:/;

/** A larger commit is resolved as well, but costs a new process the next time. */
const MAX_COMMIT_BYTES = 1024 * 1024;

async function resolvedBy(root: string, revision: string, signal: AbortSignal | undefined): Promise<string> {
  const name = `${revision}^{commit}`;
  if (!SEARCHES.test(revision)) {
    const found = await withObjects(root, signal, (objects) => objects.read(name, MAX_COMMIT_BYTES));
    if (found) return found.hash;
    throw new ToolError(`${revision} is not a commit`);
  }
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
  const hash = (await git(root, args, signal)).toString().trim().split("\n").at(-1) ?? "";
  if (!/^[0-9a-f]{40,64}$/.test(hash)) throw new ToolError(`${revision} is not a commit`);
  return hash;
}

async function unknownRevision(
  repo: Repository,
  revision: string,
  name: string,
  refs: readonly Ref[],
): Promise<string> {
  const head = await commitOf(repo, "HEAD");
  if (head === undefined && refs.length === 0) return `Repository ${repo.name} has no commits yet.`;
  const shorts = refs.map(({ short }) => short);
  const near = nearestNames(shorts, name);
  const names =
    near.length > 0 ? `Similar names: ${near.join(", ")}.` : `It has: ${shorts.slice(0, 10).join(", ")}.`;
  const shallow = (await shallowBoundary(repo)).size > 0 ? ` ${SHALLOW}` : "";
  return `Repository ${repo.name} has no commit ${JSON.stringify(revision)}. ${names} Name a branch, tag, hash or HEAD~1; git_log lists commits.${shallow}`;
}

/** Two revisions in one text: `main..feature`, `v1...HEAD`. An empty side is HEAD. */
export interface RevisionRange {
  readonly from: string;
  readonly to: string;
  /** With three dots, from where the two parted. */
  readonly sinceFork: boolean;
}

/** @returns undefined for a single revision */
export function revisionRange(text: string): RevisionRange | undefined {
  const parts = /^(.*?)(\.{2,3})(.*)$/s.exec(text.trim());
  if (!parts) return undefined;
  const [, from = "", dots = "", to = ""] = parts;
  return { from: from || "HEAD", to: to || "HEAD", sinceFork: dots.length === 3 };
}

/** The commit where the histories of two commits parted; undefined if they have none in common. */
export async function forkPoint(
  repo: Repository,
  one: string,
  other: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const output = await git(repo.root, ["merge-base", one, other], signal).catch(() => Buffer.alloc(0));
  return output.toString().trim().split("\n")[0] || undefined;
}

/**
 * Reads a file at a commit.
 *
 * @param commit a hash from resolveRevision
 * @param maxBytes limit of its size
 * @throws ToolError if it does not exist there, is not a regular file, or is larger
 */
export async function fileAt(
  repo: Repository,
  commit: string,
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ given: string; bytes: Buffer }> {
  const { given, hash, where } = await regularFileAt(repo, commit, path, signal);
  const { content, size } = await readBlob(repo, hash, maxBytes, where, signal);
  if (!content) throw tooLarge(where, size, maxBytes);
  return { given, bytes: content };
}

/** The path of a file at a commit as git has it. The parameters and errors are those of fileAt. */
export async function pathAt(
  repo: Repository,
  commit: string,
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<string> {
  const { given, hash, where } = await regularFileAt(repo, commit, path, signal);
  const size = await ofCommits(
    repo,
    ["size", hash],
    signal,
    async (shared) => (await readBlob(repo, hash, maxBytes, where, shared)).size,
  );
  if (size > maxBytes) throw tooLarge(where, size, maxBytes);
  return given;
}

const tooLarge = (where: string, size: number, maxBytes: number) =>
  new ToolError(`${where} has ${size} bytes, more than the limit of ${maxBytes}.`);

async function regularFileAt(repo: Repository, commit: string, path: string, signal?: AbortSignal) {
  const given = await spelledAt(repo, commit, checkPath(repo, path), signal);
  const where = `${JSON.stringify(given)} at ${commit.slice(0, 12)}`;
  const entry = given === "" ? undefined : await entryAt(repo, commit, given, signal);
  if (!entry)
    throw new ToolError(
      `${where} is not in repository ${repo.name}.${await elsewhere(repo, commit, given, signal)}`,
    );
  const { mode, type, hash } = entry;
  if (type === "tree") throw new ToolError(`${where} is a folder. Name a file in it.`);
  if (type === "commit") throw new ToolError(`${where} is a submodule. Submodules are not served.`);
  if (mode === "120000") throw new ToolError(`${where} is a symbolic link. Read the file that it points to.`);
  return { given, hash, where };
}

async function readBlob(
  repo: Repository,
  hash: string,
  maxBytes: number,
  where: string,
  signal?: AbortSignal,
): Promise<ReadObject> {
  const found = await withObjects(repo.root, signal, (objects) => objects.read(hash, maxBytes));
  if (!found) throw new ToolError(`The content of ${where} is not in this copy (a partial clone).`);
  return found;
}

/** Largest listing of a commit that is searched for similar names, bytes. */
const MAX_LISTING = 4_000_000;

/** Where a file with this name, or a similar one, is at a commit. */
async function elsewhere(
  repo: Repository,
  commit: string,
  path: string,
  signal?: AbortSignal,
): Promise<string> {
  const args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit];
  const listing = await git(repo.root, args, signal, { firstBytes: MAX_LISTING }).catch(() =>
    Buffer.alloc(0),
  );
  const paths = listing.toString("utf8").split("\0").filter(Boolean);
  const name = path.split("/").at(-1)?.toLowerCase();
  const same = paths.filter((one) => one.split("/").at(-1)?.toLowerCase() === name);
  const near = same.length > 0 ? same.slice(0, 5) : nearestNames(paths, path, 3);
  return near.length === 0 ? "" : ` There it has: ${near.join(", ")}.`;
}
