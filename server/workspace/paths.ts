import { realpath } from "node:fs/promises";
import { isAbsolute, join, posix, relative, sep } from "node:path";
import { ToolError } from "../tool-error.ts";
import { listingOf } from "./git/listing.ts";
import { nearestNames } from "./refs.ts";
import { similarPath } from "./similar-path.ts";
import type { Repository } from "./workspace.ts";

/** A path that is inside its repository. */
export interface InsidePath {
  /** As the caller wrote it, normalized, or the path that it stands for; "" is the repository itself. */
  readonly given: string;
  /** With symbolic links resolved, relative to the repository. */
  readonly real: string;
  readonly absolute: string;
}

/**
 * Checks a caller's path by its text alone, for what git looks up in its own objects. An absolute path is one from the root of the
 * repository, or one of the server's file system in that repository.
 *
 * @returns the normalized path; "" is the repository itself
 * @throws ToolError for `..` or `.git`
 */
export function checkPath(repo: Repository, path: string): string {
  if (path.includes("\0")) throw new ToolError("The path contains a NUL character.");
  const inside = path === repo.root || path.startsWith(`${repo.root}/`) ? path.slice(repo.root.length) : path;
  // `src/../lib` stays inside, `../other` does not.
  const segments = posix
    .normalize(inside.startsWith("/") ? inside.replace(/^\/+/, "") : inside)
    .split("/")
    .filter((s) => s !== "" && s !== ".");
  if (segments.includes(".."))
    throw new ToolError(
      `${JSON.stringify(path)} contains "..". Use a path from the repository root, such as ${JSON.stringify(segments.filter((s) => s !== "..").join("/"))}.`,
    );
  refuseGit(segments);
  return segments.join("/");
}

/**
 * Checks a caller's path by its text, and then by the file that it leads to. A path that does not exist stands for the one with another
 * spelling, if there is exactly one (see similarPath).
 *
 * @throws ToolError for a path that checkPath refuses, that does not exist, or that leaves the repository by a symbolic link
 */
export async function insidePath(repo: Repository, path: string): Promise<InsidePath> {
  const given = checkPath(repo, path);
  const exact = await realpath(join(repo.root, given)).catch((error: NodeJS.ErrnoException) => error);
  if (typeof exact === "string") return insideOf(repo, given, exact);
  const similar = await similarPath(repo.root, repo.name, given);
  const absolute = similar === undefined ? "" : await realpath(join(repo.root, similar)).catch(() => "");
  if (similar !== undefined && absolute !== "") return insideOf(repo, similar, absolute);
  throw new ToolError(
    `${JSON.stringify(given)} is not in repository ${repo.name} (${exact.code ?? "unreadable"}). ${await whereElse(repo, given)}`,
  );
}

/** What to try instead of a path that does not exist. */
async function whereElse({ root }: Repository, given: string): Promise<string> {
  const { sorted } = await listingOf(root).catch(() => ({ sorted: [] as readonly string[] }));
  if (sorted.some((file) => isBelow(file, given)))
    return 'git tracks it, but it is deleted in the work tree or left out by a sparse checkout. Read it with "revision": "HEAD".';
  const name = given.split("/").at(-1) ?? given;
  const same = sorted.filter((file) => file.split("/").at(-1)?.toLowerCase() === name.toLowerCase());
  const near = same.length > 0 ? same : nearestNames(sorted, given, 3);
  const similar = near.length === 0 ? "" : `Similar names: ${near.slice(0, 5).join(", ")}. `;
  return `${similar}Find it with find_files: ${JSON.stringify({ query: name })}. If it was deleted, git_log with this path names the commits.`;
}

function insideOf(repo: Repository, given: string, absolute: string): InsidePath {
  const real = relative(repo.root, absolute);
  if (real === ".." || real.startsWith(`..${sep}`) || isAbsolute(real))
    throw new ToolError(`${JSON.stringify(given)} is a symbolic link that leaves the repository.`);
  refuseGit(real.split(sep));
  return { given, real, absolute };
}

/** Whether a file is `folder` or below it; "" is the whole repository. Both relative to the repository. */
export function isBelow(file: string, folder: string): boolean {
  return folder === "" || file === folder || file.startsWith(`${folder}/`);
}

/** The files of git itself contain remote addresses with credentials, and nothing that a reader of code needs. */
function refuseGit(segments: readonly string[]): void {
  if (segments.some((s) => s.toLowerCase() === ".git"))
    throw new ToolError("The files of git itself (.git) are not served. Use git_log, git_diff or git_blame.");
}
