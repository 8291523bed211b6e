import type { DatabaseSync } from "node:sqlite";
import type { IndexMeta } from "../database.ts";
import type { IndexJob } from "../job.ts";
import { type Listing, TextTree } from "./text-tree.ts";

/** Repositories whose state stays in the memory of a thread. */
const MAX_TREES = 8;

const trees = new Map<string, TextTree>();

/**
 * The files of a repository as they are now.
 *
 * @returns undefined if the repository is too large
 */
export function currentTree(
  db: DatabaseSync,
  { commit, fingerprint, indexed_at }: IndexMeta,
  { database, root, listing }: IndexJob & { readonly listing: Listing },
): TextTree | undefined {
  const tree = treeOf(root);
  const state = `${database} ${fingerprint} ${indexed_at}`;
  return tree.refresh(db, { state, commit }, listing) ? tree : undefined;
}

function treeOf(root: string): TextTree {
  let tree = trees.get(root);
  trees.delete(root);
  if (tree && !tree.isSame) {
    tree.close();
    tree = undefined;
  }
  tree ??= new TextTree(root);
  trees.set(root, tree);
  for (const [oldest, old] of trees) {
    if (trees.size <= MAX_TREES) break;
    old.close();
    trees.delete(oldest);
  }
  return tree;
}
