import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { isCloneUrl } from "../cloud-init/workspace-address.ts";
import { makeCached, useCached } from "./cached-files.ts";
import { run } from "./exec.ts";
import { cacheFolder } from "./paths.ts";
import type { CommonSettings } from "./settings.ts";

/** Where the machine finds the pushed repository: a git bundle, cloned by the machine as it would clone a URL. */
const BUNDLE = "/srv/mcp-edge/incoming/workspace.bundle";

export interface Workspace {
  /** Folder on this host, or "" when the machine clones a URL by itself. */
  folder: string;
  /** Commit that HEAD names, or "" for a URL. */
  head: string;
  /** Branches and tags that are pushed besides HEAD, by their full names, sorted. */
  refs: string[];
  /**
   * sha256 of HEAD and the pushed refs with their commits, or "" for a URL. The same in every checkout that has them, whatever its
   * objects are packed like: it names the bundle, and a change of it makes the deployment push again.
   */
  identity: string;
  /** What the machine clones from. */
  source: string;
  /** Name of the clone among the workspace's repositories. */
  name: string;
}

const git = (folder: string, ...args: string[]) =>
  // Run as root over a user's repository; no hook or config of it may run anything here.
  run(
    "git",
    [
      "-c",
      "safe.directory=*",
      "-c",
      "core.hooksPath=/dev/null",
      "-c",
      "core.fsmonitor=false",
      "-C",
      folder,
      ...args,
    ],
    { timeout: 120_000, env: { GIT_NO_LAZY_FETCH: "1", GIT_OPTIONAL_LOCKS: "0" } },
  );

/**
 * Resolve the setting `workspace`: the folder of a git repository (default: the one the program runs in), or a URL.
 *
 * @param wanted branches and tags to push besides HEAD, patterns among them (git-for-each-ref(1)); `*`: all
 * @throws Error when the folder is no git repository, has no commit or not its whole history, or lacks a wanted branch or tag.
 */
export async function resolveWorkspace(
  workspace: string,
  wanted: readonly string[] = [],
): Promise<Workspace> {
  const name = (path: string) => basename(path.replace(/\/+$/, "")).replace(/\.git$/, "") || "workspace";
  if (isCloneUrl(workspace))
    return { folder: "", head: "", refs: [], identity: "", source: workspace, name: name(workspace) };
  const fix = "Set another: npm run up -- --workspace PATH-or-URL";
  const top = await git(workspace, "rev-parse", "--show-toplevel").catch(() => undefined);
  if (!top) throw new Error(`The workspace ${workspace} is not a git repository. ${fix}`);
  const folder = top.stdout.trim();
  const head = await git(folder, "rev-parse", "--verify", "HEAD^{commit}").catch(() => undefined);
  if (!head) throw new Error(`The workspace ${folder} has no commit yet. Commit something, or: ${fix}`);
  const shallow = (await git(folder, "rev-parse", "--is-shallow-repository")).stdout.trim();
  if (shallow === "true")
    throw new Error(
      `The workspace ${folder} is a shallow clone, of which the machine cannot make a repository. Get the whole history: git -C ${folder} fetch --unshallow (actions/checkout: fetch-depth: 0), or: ${fix}`,
    );
  const commit = head.stdout.trim();
  const found = await refsOf(folder, wanted);
  const refs = [...found.keys()].sort();
  const lines = [`${commit} HEAD`, ...refs.map((ref) => `${found.get(ref)} ${ref}`)];
  const identity = createHash("sha256").update(lines.join("\n")).digest("hex");
  return { folder, head: commit, refs, identity, source: BUNDLE, name: name(folder) };
}

/** Branches and tags by full name, with the objects that they name. */
async function refsOf(folder: string, wanted: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const pattern of wanted) {
    const places = ["refs/heads", "refs/tags"].map((at) => (pattern === "*" ? at : `${at}/${pattern}`));
    const { stdout } = await git(folder, "for-each-ref", "--format=%(objectname) %(refname)", ...places);
    const lines = stdout.split("\n").filter(Boolean);
    if (lines.length === 0 && pattern !== "*")
      throw new Error(
        `The workspace ${folder} has no branch or tag ${pattern}, which workspaceRefs names. Make it: git -C ${folder} branch ${pattern} origin/${pattern}`,
      );
    for (const line of lines) found.set(line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" ")));
  }
  return found;
}

/** The pushed commits (not the uncommitted changes) as one bundle in the cache, written once for each identity; "" for a URL. */
export async function bundleOf({ folder, refs, identity }: Workspace): Promise<string> {
  if (folder === "") return "";
  const file = join(cacheFolder("workspaces"), `${identity}.bundle`);
  if (await useCached(file)) return file;
  await makeCached(file, (partial) =>
    git(folder, "bundle", "create", "--quiet", partial, "HEAD", ...refs).catch((error: Error) => {
      throw new Error(
        `${error.message}\nIf ${folder} is a partial clone, get what it lacks: git -C ${folder} fetch --refetch --no-filter`,
      );
    }),
  );
  return file;
}

/** The workspace, and the bundle of its commits in this host's cache. */
export interface PreparedWorkspace {
  workspace: Workspace;
  /** Path of the bundle; "": the machine clones a URL. */
  bundle: string;
}

/**
 * Read what an edge needs from the workspace's repository. Constructors of components are synchronous, so this happens before.
 * @throws Error when the workspace cannot be pushed (resolveWorkspace)
 */
export async function prepareWorkspace(
  settings: Pick<CommonSettings, "workspace" | "workspaceRefs">,
): Promise<PreparedWorkspace> {
  const workspace = await resolveWorkspace(settings.workspace, settings.workspaceRefs);
  return { workspace, bundle: await bundleOf(workspace) };
}
