import { randomUUID } from "node:crypto";
import { lstat, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MARKER, tidy } from "./own-copy.ts";
import { remoteGit as git } from "./remote-git.ts";
import type { Credential, Remote } from "./settings.ts";

export interface CopyOptions {
  /** The workspace's folder. */
  dir: string;
  credentials: readonly Credential[];
  signal: AbortSignal;
  onProgress: (what: "cloning" | "fetching", percent: number) => void;
}

/**
 * Updates the copy of one remote, with all its branches and tags: fetches and checks out if there is a copy, else clones into a temporary
 * folder and renames that. If the remote fails, the last good copy stays. cloud-init/deploy/mcp-edge-workspace does the same for the
 * repository of the machine; one contract test covers both.
 *
 * @returns whether anything has changed
 * @throws Error with the message of git, without credentials; also if the folder is not a copy that the server made
 */
export async function bringCopy(remote: Remote, options: CopyOptions): Promise<boolean> {
  const root = join(options.dir, remote.name);
  if (await isOurs(root)) {
    const changed = await update(remote, root, options);
    if (changed !== "damaged") return changed;
  }
  await clone(remote, root, options);
  return true;
}

/** Whether there is a copy that the server made. An empty folder is not one. */
async function isOurs(root: string): Promise<boolean> {
  const found = await lstat(root).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isDirectory()) {
    const marker = await lstat(join(root, ".git", MARKER)).catch(() => undefined);
    if (marker?.isFile()) return true;
    if (
      await rmdir(root).then(
        () => true,
        () => false,
      )
    )
      return false;
  }
  throw new Error(
    `${root} is not a copy that the server made, so it is not changed; move it away, or hand it over: touch ${root}/.git/${MARKER}`,
  );
}

async function update(remote: Remote, root: string, options: CopyOptions): Promise<boolean | "damaged"> {
  const { signal } = options;
  const before = await local(() => commitOf(root, "HEAD", options), signal);
  if (before === undefined || !(await local(() => tidy(root, remote.url).then(() => true), signal)))
    return "damaged";
  const args = ["fetch", "--progress", "--prune", "--no-recurse-submodules", remote.url, "HEAD"];
  const refs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*", "^refs/heads/HEAD"];
  await git(root, [...args, ...refs], options, (percent) => options.onProgress("fetching", percent));
  const head = await commitOf(root, "FETCH_HEAD", options);
  const next = await target(remote, root, head, options);
  if (!(await local(() => settle(root, next, options).then(() => true), signal))) return "damaged";
  return before !== next.commit;
}

async function clone(remote: Remote, root: string, options: CopyOptions): Promise<void> {
  const folder = join(options.dir, `.new-${randomUUID()}`);
  await mkdir(options.dir, { recursive: true });
  try {
    const args = [
      "clone",
      "--progress",
      "--no-checkout",
      "--no-hardlinks",
      "--template=",
      "--",
      remote.url,
      folder,
    ];
    await git(options.dir, args, options, (percent) => options.onProgress("cloning", percent));
    const head = await commitOf(folder, "HEAD", options);
    if (head === undefined && remote.branch === undefined) throw new Error("it has no commit yet");
    const next = await target(remote, folder, head, options);
    await tidy(folder, remote.url);
    await settle(folder, next, options);
    await writeFile(join(folder, ".git", MARKER), "");
    // Only a damaged copy of the server can be there.
    await rm(root, { recursive: true, force: true });
    await rename(folder, root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is to be checked out. */
interface Target {
  commit: string;
  /** undefined for a detached HEAD. */
  branch: string | undefined;
}

async function target(
  remote: Remote,
  root: string,
  head: string | undefined,
  options: CopyOptions,
): Promise<Target> {
  const at = (ref: string) => commitOf(root, ref, options);
  if (remote.branch !== undefined) {
    const commit = await at(`refs/remotes/origin/${remote.branch}`);
    if (commit !== undefined) return { commit, branch: remote.branch };
    const tagged = await at(`refs/tags/${remote.branch}`);
    if (tagged !== undefined) return { commit: tagged, branch: undefined };
    throw new Error(`it has no branch or tag ${remote.branch}`);
  }
  if (head === undefined) throw new Error("it has no commit yet");
  // The branch of the remote's HEAD. A bundle gives only the commit.
  const listed = await git(root, ["ls-remote", "--symref", remote.url, "HEAD"], options).catch(() => "");
  const named = /^ref: refs\/heads\/(.*)\tHEAD$/m.exec(listed)?.[1];
  const current = (
    await git(root, ["symbolic-ref", "-q", "--short", "HEAD"], options).catch(() => "")
  ).trim();
  const others = [
    "for-each-ref",
    "--format=%(refname:lstrip=3)",
    `--points-at=${head}`,
    "refs/remotes/origin",
  ];
  const candidates = named
    ? [named]
    : [current, "main", "master", ...(await git(root, others, options)).split("\n")];
  for (const branch of candidates)
    if (branch !== "" && branch !== "HEAD" && (await at(`refs/remotes/origin/${branch}`)) === head)
      return { commit: head, branch };
  return { commit: head, branch: undefined };
}

/** Sets the branches to those of the remote, and checks out the target. */
async function settle(root: string, { commit, branch }: Target, options: CopyOptions): Promise<void> {
  const run = (...args: string[]) => git(root, args, options);
  await run("symbolic-ref", "--quiet", "--delete", "refs/remotes/origin/HEAD").catch(() => undefined);
  const current = (await run("symbolic-ref", "-q", "--short", "HEAD").catch(() => "")).trim();
  const now = await commitOf(root, "HEAD", options);
  // Detaches HEAD, so that the branch can move while it is checked out.
  if (now !== undefined && (current !== (branch ?? "") || now !== commit))
    await run("update-ref", "--no-deref", "HEAD", now);
  await run(
    ...["fetch", "--quiet", "--prune", "--no-tags", "--update-head-ok", "."],
    "+refs/remotes/origin/*:refs/heads/*",
  );
  await run(
    "checkout",
    "--quiet",
    "--force",
    ...(branch === undefined ? ["--detach", commit] : [branch, "--"]),
  );
}

async function commitOf(root: string, ref: string, options: CopyOptions): Promise<string | undefined> {
  const found = git(root, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], options);
  options.signal.throwIfAborted();
  return (await found.catch(() => "")).trim() || undefined;
}

/** Runs work that needs no remote. @returns undefined if it fails, which means that the copy is damaged */
async function local<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
