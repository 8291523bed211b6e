import type { Capabilities } from "../capabilities/registry.ts";
import { GIT_ENV } from "./git/environment.ts";
import { runGit } from "./git/run.ts";
import { viewOf } from "./git/view.ts";

/** Time limit of a git command, milliseconds. */
const TIME_LIMIT_MS = 10_000;

export interface GitOptions {
  /** Reads only about this number of bytes of the output. Default: all. */
  firstBytes?: number;
  /** Takes the paths after `--` literally, without globs and magic. */
  literal?: boolean;
  /** See GitRun. */
  input?: string;
  exitCodes?: readonly number[];
}

/**
 * Runs git in a served repository, which may belong to anyone. Its own configuration is not read (see git/view.ts), so it runs no program.
 * Each git command on a served repository goes through here.
 *
 * @param root absolute path of the work tree
 * @throws ToolError if git takes too long or fails
 */
export async function git(
  root: string,
  args: readonly string[],
  signal?: AbortSignal,
  { literal, ...options }: GitOptions = {},
): Promise<Buffer> {
  const view = await viewOf(root);
  return runGit(["-C", root, ...args], {
    cwd: root,
    env: { ...view.env, ...GIT_ENV, ...(literal ? { GIT_LITERAL_PATHSPECS: "1" } : {}) },
    timeoutMs: TIME_LIMIT_MS,
    signal,
    ...options,
  });
}

const LISTING = ["ls-files", "-z", "--cached", "--exclude-standard", "--deduplicate"];

/**
 * The files that are tracked, or untracked and not ignored. Secrets and build results are usually ignored.
 *
 * @param pathspecs git pathspecs (gitglossary(7)); none for all files
 */
export async function listGitFiles(
  root: string,
  pathspecs: readonly string[] = [],
  signal?: AbortSignal,
): Promise<string[]> {
  return fields(await git(root, [...LISTING, "--others", "--", ...pathspecs], signal));
}

/** The tracked files that an ignore rule names. git lists them, a program that knows only the rules does not. */
export async function listTrackedIgnored(root: string): Promise<string[]> {
  return fields(await git(root, [...LISTING, "--ignored"]));
}

/** Splits an output of fields that end with a NUL. */
function fields(output: Buffer): string[] {
  return output.length === 0 ? [] : output.toString("utf8").slice(0, -1).split("\0");
}

/** Checks once, at start, whether git can be run. */
export async function provideGit(capabilities: Capabilities): Promise<void> {
  try {
    const version = await runGit(["--version"], { cwd: "/", timeoutMs: TIME_LIMIT_MS });
    capabilities.set("git", true, version.toString().trim());
  } catch (error) {
    const why = `git cannot be run (${(error as Error).message}); run: apt-get install git`;
    capabilities.set("git", false, why);
  }
}

/** Whether git itself can read the folder as a work tree. */
export async function isWorkTree(root: string): Promise<boolean> {
  try {
    return (await git(root, ["rev-parse", "--is-inside-work-tree"])).toString().trim() === "true";
  } catch {
    return false;
  }
}
