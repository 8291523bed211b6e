import { withObjects } from "./git/objects.ts";
import { stateOf } from "./git/state.ts";
import { git } from "./git.ts";
import { keptResult } from "./kept-result.ts";
import { spelledLike } from "./similar-path.ts";
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
  /** Six octal digits, such as 100644. */
  readonly mode: string;
  /** A commit is a submodule. */
  readonly type: "blob" | "tree" | "commit";
  readonly hash: string;
}

/** What a path is at a commit; undefined if it is not there. */
export function entryAt(
  repo: Repository,
  commit: string,
  path: string,
  signal?: AbortSignal,
): Promise<TreeEntry | undefined> {
  return ofCommits(repo, ["entry", commit, path], signal, (shared) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const folder = path.slice(0, Math.max(0, path.length - name.length - 1));
    // The process takes one name in a line.
    if (path === "" || path.includes("\n")) return entryByList(repo.root, commit, path, shared);
    const tree = folder === "" ? `${commit}^{tree}` : `${commit}:${folder}`;
    return withObjects(repo.root, shared, async (objects) => {
      const found = await objects.read(tree, MAX_TREE_BYTES);
      return found?.type === "tree" && found.content
        ? entryOf(found.content, name, found.hash.length / 2)
        : undefined;
    });
  });
}

/** A tree of a million entries. */
const MAX_TREE_BYTES = 64 * 1024 * 1024;

/** An entry of a tree object: its mode, a blank, its name, a NUL, and the bytes of its hash. */
function entryOf(tree: Buffer, name: string, hashBytes: number): TreeEntry | undefined {
  const wanted = Buffer.from(name);
  for (let at = 0; at < tree.length; ) {
    const blank = tree.indexOf(32, at);
    const end = tree.indexOf(0, blank);
    if (blank === -1 || end === -1) return undefined;
    if (tree.subarray(blank + 1, end).equals(wanted)) {
      const mode = tree.toString("latin1", at, blank).padStart(6, "0");
      return { mode, type: typeOf(mode), hash: tree.toString("hex", end + 1, end + 1 + hashBytes) };
    }
    at = end + 1 + hashBytes;
  }
  return undefined;
}

/** The names in a folder at a commit. */
async function namesAt(
  repo: Repository,
  commit: string,
  folder: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  return ofCommits(repo, ["names", commit, folder], signal, async (shared) => {
    const args = ["ls-tree", "-z", "--name-only", folder === "" ? commit : `${commit}:${folder}`];
    const listing = await git(repo.root, args, shared).catch(() => Buffer.alloc(0));
    return listing.toString("utf8").split("\0").filter(Boolean);
  });
}

/**
 * A path at a commit as git spells it, if the path has another spelling (see similarPath); else the path itself.
 *
 * @param path normalized, relative to the repository
 */
export async function spelledAt(
  repo: Repository,
  commit: string,
  path: string,
  signal?: AbortSignal,
): Promise<string> {
  if (path === "" || (await entryAt(repo, commit, path, signal))) return path;
  const inFolder = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`);
  const source = {
    has: async (folder: string, entry: string) =>
      (await entryAt(repo, commit, inFolder(folder, entry), signal)) !== undefined,
    entries: (folder: string) => namesAt(repo, commit, folder, signal),
  };
  return (await spelledLike(repo.name, path, source)) ?? path;
}

function typeOf(mode: string): TreeEntry["type"] {
  if (mode === "040000") return "tree";
  return mode === "160000" ? "commit" : "blob";
}

async function entryByList(
  root: string,
  commit: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<TreeEntry | undefined> {
  const args = ["ls-tree", "-z", "--full-tree", commit, "--", path];
  const listing = (await git(root, args, signal, { literal: true })).toString("utf8");
  const [, mode = "", hash = ""] = /^(\d+) \w+ ([0-9a-f]+)\t/.exec(listing) ?? [];
  return hash === "" ? undefined : { mode, type: typeOf(mode), hash };
}

/** The parents of a commit. */
export function parentsOf(repo: Repository, commit: string, signal?: AbortSignal): Promise<string[]> {
  return ofCommits(repo, ["parents", commit], signal, async (shared) => {
    const listed = await git(repo.root, ["rev-list", "--parents", "--max-count=1", commit], shared);
    return listed.toString().trim().split(" ").slice(1);
  });
}
