import { ToolError } from "../tool-error.ts";
import { git } from "./git.ts";
import { checkPath } from "./paths.ts";
import type { Repository } from "./workspace.ts";

/** git's empty tree: what a first commit is compared with. */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/**
 * A caller's revision (a hash, branch, tag, `HEAD~2`) as the hash of a commit.
 *
 * @throws ToolError when there is none
 */
export async function resolveRevision(
  repo: Repository,
  revision: string,
  signal?: AbortSignal,
): Promise<string> {
  // No option, and nothing that ends the argument.
  if (/^-|[\0\n]/.test(revision)) throw new ToolError(`${JSON.stringify(revision)} is no revision.`);
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const hash = (await git(repo.root, args, signal)).toString().trim().split("\n").at(-1) ?? "";
    if (/^[0-9a-f]{40,64}$/.test(hash)) return hash;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
  }
  throw new ToolError(
    `Repository ${repo.name} has no commit ${JSON.stringify(revision)}; name a branch, a tag, a hash, or HEAD~1. See git_log.`,
  );
}

/**
 * A file as a commit has it.
 *
 * @param commit a hash of resolveRevision
 * @param maxBytes larger ones are refused
 * @throws ToolError when it is not there or is no regular file
 */
export async function fileAt(
  repo: Repository,
  commit: string,
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ given: string; bytes: Buffer }> {
  const given = checkPath(path);
  const where = `${JSON.stringify(given)} at ${commit.slice(0, 12)}`;
  const listing = await git(repo.root, ["ls-tree", "-z", "-l", "--full-tree", commit, "--", given], signal, {
    literal: true,
  });
  const entry = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(listing.toString("utf8"));
  if (!entry || given === "") throw new ToolError(`${where} is not in repository ${repo.name}.`);
  const [, mode, type, hash = "", size] = entry;
  if (type === "tree") throw new ToolError(`${where} is a folder.`);
  if (type === "commit") throw new ToolError(`${where} is a submodule; such files are not served.`);
  if (mode === "120000") throw new ToolError(`${where} is a symbolic link; read the file that it names.`);
  if (Number(size) > maxBytes)
    throw new ToolError(`${where} has ${size} bytes, more than the ${maxBytes} that are read.`);
  return { given, bytes: await git(repo.root, ["cat-file", "blob", hash], signal) };
}
