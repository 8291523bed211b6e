import { basename } from "node:path";
import { run } from "./exec.ts";

/** Where the machine finds the pushed repository: a git bundle, cloned by the machine as it would clone a URL. */
export const BUNDLE = "/srv/mcp-edge/incoming/workspace.bundle";

export interface Workspace {
  /** Folder on this host, or "" when the machine clones a URL by itself. */
  folder: string;
  /** Commit that HEAD names, or "" for a URL: a change of it makes the deployment push again. */
  head: string;
  /** What the machine clones from. */
  source: string;
  /** Name of the clone among the workspace's repositories. */
  name: string;
}

const git = (folder: string, ...args: string[]) =>
  // Run as root over a user's repository; no hook or config of it may run anything here.
  run("git", ["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-C", folder, ...args], {
    timeout: 120_000,
  });

const isUrl = (workspace: string) =>
  /^(https?|ssh|git):\/\//.test(workspace) || /^[\w.-]+@[\w.-]+:/.test(workspace);

/**
 * Resolve the setting `workspace`: the folder of a git repository (default: the one the program runs in), or a URL.
 * @throws Error when the folder is no git repository or has no commit.
 */
export async function resolveWorkspace(workspace: string): Promise<Workspace> {
  const name = (path: string) => basename(path.replace(/\/+$/, "")).replace(/\.git$/, "") || "workspace";
  if (isUrl(workspace)) return { folder: "", head: "", source: workspace, name: name(workspace) };
  const mend = "Set another: npm run up -- --workspace PATH-or-URL";
  const top = await git(workspace, "rev-parse", "--show-toplevel").catch(() => undefined);
  if (!top) throw new Error(`The workspace ${workspace} is not a git repository. ${mend}`);
  const folder = top.stdout.trim();
  const head = await git(folder, "rev-parse", "--verify", "HEAD").catch(() => undefined);
  if (!head) throw new Error(`The workspace ${folder} has no commit yet. Commit something, or: ${mend}`);
  return { folder, head: head.stdout.trim(), source: BUNDLE, name: name(folder) };
}

/** Write the repository's commits (not its uncommitted changes) as one bundle. */
export async function writeBundle(folder: string, file: string): Promise<void> {
  await git(folder, "bundle", "create", "--quiet", file, "HEAD", "--branches");
}
