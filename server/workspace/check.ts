import { isWorkTree } from "./git.ts";
import type { Sync } from "./sync/sync.ts";
import type { Workspace } from "./workspace.ts";

/**
 * The readiness check of the workspace. Until it succeeds once, git itself must read a repository. After that it only lists the folders:
 * a program that waits in the queue would make the server unready under load.
 *
 * @returns the check's `run`
 */
export function workspaceCheck(
  workspace: Pick<Workspace, "repositories" | "dir">,
  sync: Pick<Sync, "describe">,
): () => Promise<string> {
  let readable = false;
  return async () => {
    const all = await workspace.repositories();
    const syncing = sync.describe();
    const summary = `${all.length} repositories in ${workspace.dir}${syncing && `: ${syncing}`}`;
    if (all.length === 0) {
      // The first clone is under way, or will be tried again. A restart would not help.
      if (syncing !== "") return `none in ${workspace.dir} yet: ${syncing}`;
      throw new Error(
        `no git repository in ${workspace.dir}; put one there: git clone URL ${workspace.dir}/NAME`,
      );
    }
    if (readable) return summary;
    for (const repo of all) {
      if (!(await isWorkTree(repo.root))) continue;
      readable = true;
      return summary;
    }
    throw new Error(
      `git can read none of ${all.map((r) => r.root).join(", ")}; see: git -C ${all[0]?.root} status`,
    );
  };
}
