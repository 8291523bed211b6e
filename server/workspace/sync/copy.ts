import { randomUUID } from "node:crypto";
import { lstat, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../child.ts";
import { MARKER, tidy } from "./own-copy.ts";
import type { Credential, Remote } from "./settings.ts";

/** Longest that one git command may take, milliseconds: a first clone over a slow line. */
const TIME_LIMIT_MS = 30 * 60_000;

export interface CopyOptions {
  /** The workspace's folder. */
  dir: string;
  credentials: readonly Credential[];
  signal: AbortSignal;
  onProgress: (what: "cloning" | "fetching", percent: number) => void;
}

/**
 * Brings the copy of one remote up to date, with all its branches and tags by their names: fetched and checked out when there is one,
 * else cloned beside its place and renamed into it. When the remote fails, the last good copy is as it was. The same as
 * cloud-init/deploy/mcp-edge-workspace does for the machine's own repository; one test tries both.
 *
 * @returns whether anything is different now
 * @throws Error with git's words, without credentials; also when something that is not ours is in the copy's place
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

/** Whether there is a copy that we made; nothing and an empty folder are none. */
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
    `${root} is not a copy that the server made, so it stays as it is; move it away, or hand it over: touch ${root}/.git/${MARKER}`,
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
  const wanted = await target(remote, root, head, options);
  if (!(await local(() => settle(root, wanted, options).then(() => true), signal))) return "damaged";
  return before !== wanted.commit;
}

async function clone(remote: Remote, root: string, options: CopyOptions): Promise<void> {
  const made = join(options.dir, `.new-${randomUUID()}`);
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
      made,
    ];
    await git(options.dir, args, options, (percent) => options.onProgress("cloning", percent));
    const head = await commitOf(made, "HEAD", options);
    if (head === undefined && remote.branch === undefined) throw new Error("it has no commit yet");
    const wanted = await target(remote, made, head, options);
    await tidy(made, remote.url);
    await settle(made, wanted, options);
    await writeFile(join(made, ".git", MARKER), "");
    // Only a damaged copy of ours can be there.
    await rm(root, { recursive: true, force: true });
    await rename(made, root);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** What is checked out in the end. */
interface Target {
  commit: string;
  /** undefined: none, HEAD is detached. */
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
  // What the remote's HEAD names. A bundle says only which commit that is.
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

/** Makes the branches those of the remote, and checks out what is wanted. */
async function settle(root: string, { commit, branch }: Target, options: CopyOptions): Promise<void> {
  const run = (...args: string[]) => git(root, args, options);
  await run("symbolic-ref", "--quiet", "--delete", "refs/remotes/origin/HEAD").catch(() => undefined);
  const current = (await run("symbolic-ref", "-q", "--short", "HEAD").catch(() => "")).trim();
  const now = await commitOf(root, "HEAD", options);
  // What is checked out stays so while its branch moves.
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

/** What needs no remote: when it fails, the copy is damaged. @returns undefined then */
async function local<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Nothing of the system's or an account's configuration; a foreign repository runs nothing here and asks for nothing. */
async function git(
  cwd: string,
  args: readonly string[],
  { credentials, signal }: CopyOptions,
  onPercent?: (percent: number) => void,
): Promise<string> {
  let last = "";
  const result = await runChild("git", args, {
    cwd,
    env: environment(credentials),
    timeoutMs: TIME_LIMIT_MS,
    signal,
    onStderr: (text) => {
      last = (last + text).slice(-4_096);
      const percent = [
        ...text.matchAll(/(?:Receiving objects|Resolving deltas|Updating files): +(\d+)%/g),
      ].at(-1);
      if (percent) onPercent?.(Number(percent[1]));
    },
  });
  if (result.code === 0) return result.stdout.toString();
  signal.throwIfAborted();
  if (result.stopped) throw new Error(`git ${args[0]} was stopped: ${result.stopped}`);
  throw new Error(`git ${args[0]} failed: ${complaint(last) || `exit code ${result.code}`}`);
}

/** Credentials go through the environment, which other accounts cannot read as they can a command line. */
function environment(credentials: readonly Credential[]): Record<string, string> {
  const settings: [string, string][] = [
    // A remote that is a folder may belong to another account; it runs nothing here either.
    ["safe.directory", "*"],
    ["core.hooksPath", "/dev/null"],
    ["core.fsmonitor", "false"],
    ["credential.helper", ""],
    ["gc.autoDetach", "false"],
    ["advice.detachedHead", "false"],
    ["http.lowSpeedLimit", "1000"],
    ["http.lowSpeedTime", "60"],
    // A redirect to another host would take the header along.
    ...(credentials.length > 0 ? [["http.followRedirects", "false"] as [string, string]] : []),
    ...credentials.map(({ origin, authorization }): [string, string] => [
      `http.${origin}/.extraHeader`,
      `Authorization: ${authorization}`,
    ]),
  ];
  return {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git:file",
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], n) => [
        [`GIT_CONFIG_KEY_${n}`, key],
        [`GIT_CONFIG_VALUE_${n}`, value],
      ]),
    ),
  };
}

/** git's last words on a failure, progress and addresses' credentials left out. */
function complaint(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => /^(fatal|error|remote):/.test(line));
  return lines
    .slice(-2)
    .join("; ")
    .replace(/\/\/[^/@\s]*@/g, "//…@")
    .slice(0, 500);
}
