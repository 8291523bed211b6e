import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { ToolError } from "../tool-error.ts";
import type { Repository } from "./workspace.ts";

/** A path that was found to lie inside its repository. */
export interface InsidePath {
  /** As the caller wrote it, tidied; "" is the repository itself. */
  readonly given: string;
  /** Where it really is, links resolved, relative to the repository. */
  readonly real: string;
  readonly absolute: string;
}

/**
 * Checks a caller's path by its text alone: for what git looks up in its own objects.
 *
 * @returns the path, tidied; "" is the repository itself
 * @throws ToolError when it is absolute, climbs out or touches `.git`
 */
export function checkPath(path: string): string {
  if (path.includes("\0")) throw new ToolError("The path holds a NUL character.");
  if (isAbsolute(path))
    throw new ToolError(`Write the path relative to the repository, not ${JSON.stringify(path)}.`);
  const segments = path.split("/").filter((s) => s !== "" && s !== ".");
  if (segments.includes("..")) throw new ToolError('The path may not hold "..".');
  refuseGit(segments);
  return segments.join("/");
}

/**
 * Checks a caller's path by its text and then by where it really leads.
 *
 * @throws ToolError when it is absolute, climbs out, leads out through a symbolic link, touches `.git`, or is not there
 */
export async function insidePath(repo: Repository, path: string): Promise<InsidePath> {
  const given = checkPath(path);
  const absolute = await realpath(join(repo.root, given)).catch((error: NodeJS.ErrnoException) => {
    throw new ToolError(
      `${JSON.stringify(given)} is not in repository ${repo.name} (${error.code ?? "unreadable"}).`,
    );
  });
  const real = relative(repo.root, absolute);
  if (real === ".." || real.startsWith(`..${sep}`) || isAbsolute(real))
    throw new ToolError(`${JSON.stringify(given)} is a link that leaves the repository.`);
  refuseGit(real.split(sep));
  return { given, real, absolute };
}

/** git's own files hold remote addresses with credentials, and nothing that a reader of code needs. */
function refuseGit(segments: readonly string[]): void {
  if (segments.some((s) => s.toLowerCase() === ".git"))
    throw new ToolError("git's own files (.git) are not served.");
}
