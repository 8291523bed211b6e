import { ToolError } from "../tool-error.ts";
import { git } from "./git.ts";
import { checkPath } from "./paths.ts";
import type { Repository } from "./workspace.ts";

/** The empty tree of git, which a first commit is compared with. */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/**
 * Resolves a caller's revision (a hash, branch, tag, `HEAD~2`) to the hash of a commit.
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
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const hash = (await git(repo.root, args, signal)).toString().trim().split("\n").at(-1) ?? "";
    if (/^[0-9a-f]{40,64}$/.test(hash)) return hash;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
  }
  throw new ToolError(
    `Repository ${repo.name} has no commit ${JSON.stringify(revision)}. Name a branch, tag, hash or HEAD~1; git_log lists commits.`,
  );
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
  const given = checkPath(repo, path);
  const where = `${JSON.stringify(given)} at ${commit.slice(0, 12)}`;
  const listing = await git(repo.root, ["ls-tree", "-z", "-l", "--full-tree", commit, "--", given], signal, {
    literal: true,
  });
  const entry = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(listing.toString("utf8"));
  if (!entry || given === "") throw new ToolError(`${where} is not in repository ${repo.name}.`);
  const [, mode, type, hash = "", size] = entry;
  if (type === "tree") throw new ToolError(`${where} is a folder. Name a file in it.`);
  if (type === "commit") throw new ToolError(`${where} is a submodule. Submodules are not served.`);
  if (mode === "120000") throw new ToolError(`${where} is a symbolic link. Read the file that it points to.`);
  if (Number(size) > maxBytes)
    throw new ToolError(`${where} has ${size} bytes, more than the limit of ${maxBytes}.`);
  return { given, bytes: await git(repo.root, ["cat-file", "blob", hash], signal) };
}
