import type { Capabilities } from "../capabilities/registry.ts";
import { ToolError } from "../tool-error.ts";
import { type ChildResult, runChild } from "./child.ts";
import { viewOf } from "./git-view.ts";

/** Longest a git command may take, milliseconds. */
const TIME_LIMIT_MS = 10_000;

const ENV = {
  GIT_OPTIONAL_LOCKS: "0",
  // A partial clone would go to its remote for what it lacks.
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "",
};

export interface GitOptions {
  /** Takes the output piece by piece instead of collecting it; `false` means enough, which is no error. */
  onChunk?: (chunk: Buffer) => boolean;
  /** Paths after `--` are taken as they are, without globs and magic. */
  literal?: boolean;
}

/**
 * Runs git in a work tree that may belong to anybody: the repository's own configuration is not read (see git-view.ts), so it runs
 * no program. Every git command over a served repository goes through here.
 *
 * @param root absolute path of the work tree
 * @throws ToolError when git takes too long or fails
 */
export async function git(
  root: string,
  args: readonly string[],
  signal?: AbortSignal,
  options: GitOptions = {},
): Promise<Buffer> {
  const view = await viewOf(root);
  const result = await runChild("git", ["-C", root, ...args], {
    cwd: root,
    env: { ...view.env, ...ENV, ...(options.literal ? { GIT_LITERAL_PATHSPECS: "1" } : {}) },
    timeoutMs: TIME_LIMIT_MS,
    signal,
    ...(options.onChunk ? { onChunk: options.onChunk } : {}),
  });
  signal?.throwIfAborted();
  if (result.stopped === "enough") return result.stdout;
  if (result.stopped) throw new ToolError(`git ${args[0]} was stopped: ${STOPPED[result.stopped]}`);
  if (result.code !== 0)
    throw new ToolError(`git ${args[0]} failed: ${reasonIn(result.stderr) || `exit code ${result.code}`}`);
  return result.stdout;
}

const STOPPED: Record<NonNullable<ChildResult["stopped"]>, string> = {
  timeout: `it took longer than ${TIME_LIMIT_MS / 1000} s`,
  abort: "the call was cancelled",
  enough: "enough was read",
  "too-much": "its answer is too long; name a folder or a glob",
};

/**
 * The files that git knows: tracked, or untracked and not ignored. What git ignores is where secrets and build results lie.
 *
 * @param pathspecs git pathspecs (gitglossary(7)); none means all
 */
export async function listGitFiles(
  root: string,
  pathspecs: readonly string[] = [],
  signal?: AbortSignal,
): Promise<string[]> {
  const args = [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
    "--deduplicate",
    "--",
    ...pathspecs,
  ];
  const listing = (await git(root, args, signal)).toString("utf8");
  return listing ? listing.slice(0, -1).split("\0") : [];
}

/** The tracked files that an ignore rule names: git serves them, whoever reads the rules alone does not see them. */
export async function listTrackedIgnored(root: string): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--ignored", "--exclude-standard", "--deduplicate"];
  const listing = (await git(root, args)).toString("utf8");
  return listing ? listing.slice(0, -1).split("\0") : [];
}

/** Says whether there is a git to run, once, at start. */
export async function provideGit(capabilities: Capabilities): Promise<void> {
  try {
    const { stdout } = await runChild("git", ["--version"], { cwd: "/", timeoutMs: TIME_LIMIT_MS });
    capabilities.set("git", true, stdout.toString().trim());
  } catch (error) {
    capabilities.set(
      "git",
      false,
      `git cannot be run (${(error as Error).message}); run: apt-get install git`,
    );
  }
}

/** True when git itself can read the folder as a work tree. */
export async function isWorkTree(root: string): Promise<boolean> {
  try {
    return (await git(root, ["rev-parse", "--is-inside-work-tree"])).toString().trim() === "true";
  } catch {
    return false;
  }
}

/** What git says went wrong. Hints on how to use the command may follow that line. */
function reasonIn(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return lines.findLast((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1) ?? "";
}
