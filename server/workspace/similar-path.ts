import { lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Folders with more entries are not searched. */
const MAX_ENTRIES = 10_000;

/**
 * The one existing path that a path with another spelling stands for: other case, other Unicode normalization (NFC, NFD), backslashes,
 * or with the name of the repository in front.
 *
 * @param root absolute path of the repository, without symbolic links
 * @param path relative to it
 * @returns relative to it; undefined if there is none, or several are as near
 */
export async function similarPath(root: string, name: string, path: string): Promise<string | undefined> {
  const slashes = path.replaceAll("\\", "/");
  const segments = slashes.split("/").filter((segment) => segment !== "" && segment !== ".");
  const inner = segments.indexOf(name);
  const tries = inner === -1 ? [segments] : [segments, segments.slice(inner + 1)];
  for (const one of tries) {
    const found = one.includes("..") ? undefined : await walk(root, one);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function walk(root: string, segments: readonly string[]): Promise<string | undefined> {
  let relative = "";
  for (const segment of segments) {
    const folder = join(root, relative);
    const next = (await exists(join(folder, segment))) ? segment : await entryLike(root, folder, segment);
    if (next === undefined) return undefined;
    relative = relative === "" ? next : `${relative}/${next}`;
  }
  return relative;
}

async function entryLike(root: string, folder: string, segment: string): Promise<string | undefined> {
  // A symbolic link must not show what is in folders outside of the repository.
  const real = await realpath(folder).catch(() => "");
  if (real !== root && !real.startsWith(`${root}/`)) return undefined;
  const entries = await readdir(real).catch(() => []);
  if (entries.length > MAX_ENTRIES) return undefined;
  const wanted = folded(segment);
  const like = entries.filter((entry) => folded(entry) === wanted);
  const sameCase = like.filter((entry) => entry.normalize() === segment.normalize());
  const [only, ...others] = sameCase.length > 0 ? sameCase : like;
  return others.length === 0 ? only : undefined;
}

const folded = (text: string) => text.normalize().toLowerCase();

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );
