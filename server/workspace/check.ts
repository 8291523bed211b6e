import { isWorkTree } from "./git.ts";
import type { Sync } from "./sync/sync.ts";
import type { Workspace } from "./workspace.ts";

/**
 * The readiness check of the workspace. The first time git itself must read a repository; later only the folders are looked at, since a
 * program that waits for its turn would make the server unready just when it has most to do.
 *
 * @returns the check's `run`
 */
export function workspaceCheck(
  workspace: Pick<Workspace, "repositories" | "dir">,
  sync: Pick<Sync, "describe">,
): () => Promise<string> {
  let proven = false;
  return async () => {
    const all = await workspace.repositories();
    const syncing = sync.describe();
    const facts = `${all.length} repositories in ${workspace.dir}${syncing && `: ${syncing}`}`;
    if (all.length === 0) {
      // The first clone is on its way, or is tried again: no restart brings it sooner.
      if (syncing !== "") return `none in ${workspace.dir} yet: ${syncing}`;
      throw new Error(
        `no git repository in ${workspace.dir}; put one there: git clone URL ${workspace.dir}/NAME`,
      );
    }
    if (proven) return facts;
    for (const repo of all) {
      if (!(await isWorkTree(repo.root))) continue;
      proven = true;
      return facts;
    }
    throw new Error(
      `git can read none of ${all.map((r) => r.root).join(", ")}; see: git -C ${all[0]?.root} status`,
    );
  };
}
