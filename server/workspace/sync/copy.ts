import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../child.ts";
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
 * Brings the copy of one remote up to date: fetched and reset when there is one, else cloned beside its place and renamed into it. When
 * the remote fails, the last good copy is as it was.
 *
 * @returns whether anything is different now
 * @throws Error with git's words, without credentials
 */
export async function bringCopy(remote: Remote, options: CopyOptions): Promise<boolean> {
  const root = join(options.dir, remote.name);
  const before = await head(root, options);
  if (before === undefined) {
    await clone(remote, root, options);
    return true;
  }
  const progress = (percent: number) => options.onProgress("fetching", percent);
  await git(root, ["remote", "set-url", "origin", remote.url], options);
  const wanted = remote.branch === undefined ? "HEAD" : `refs/heads/${remote.branch}`;
  const refs = "+refs/heads/*:refs/remotes/origin/*";
  const fetch = ["fetch", "--progress", "--prune", "--no-recurse-submodules", "origin", wanted, refs];
  await git(root, fetch, options, progress);
  await git(root, ["reset", "--quiet", "--hard", "FETCH_HEAD"], options);
  return before !== (await head(root, options));
}

async function clone(remote: Remote, root: string, options: CopyOptions): Promise<void> {
  const made = join(options.dir, `.new-${randomUUID()}`);
  await mkdir(options.dir, { recursive: true });
  try {
    const branch = remote.branch === undefined ? [] : ["--branch", remote.branch];
    const args = ["clone", "--progress", "--no-hardlinks", ...branch, "--", remote.url, made];
    await git(options.dir, args, options, (percent) => options.onProgress("cloning", percent));
    if ((await head(made, options)) === undefined) throw new Error("it has no commit yet");
    // What lies there is no copy that could serve.
    await rm(root, { recursive: true, force: true });
    await rename(made, root);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The commit that is checked out, or undefined when there is no whole copy. */
async function head(root: string, options: CopyOptions): Promise<string | undefined> {
  if (!(await stat(join(root, ".git")).catch(() => undefined))) return undefined;
  const found = git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], options);
  return (await found.catch(() => "")).trim() || undefined;
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
