import { lstat, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Folders with more entries are not searched. */
const MAX_ENTRIES = 10_000;

/**
 * The one existing path that a path with another spelling stands for: other case, other Unicode normalization (NFC, NFD), backslashes,
 * quotes or blanks around it, percent-encoded, as in a diff (`a/src/x.ts`), or with the name of the repository in front.
 *
 * @param root absolute path of the repository, without symbolic links
 * @param path relative to it
 * @returns relative to it; undefined if there is none, or several are as near
 */
export async function similarPath(root: string, name: string, path: string): Promise<string | undefined> {
  return spelledLike(name, path, {
    has: (folder, entry) => exists(join(root, folder, entry)),
    entries: (folder) => entriesOf(root, join(root, folder)),
  });
}

/** Where a path may be: a work tree, or a commit. Folders are relative to the repository. */
interface PathSource {
  has(folder: string, entry: string): Promise<boolean>;
  entries(folder: string): Promise<readonly string[]>;
}

/** See similarPath. */
export async function spelledLike(
  name: string,
  path: string,
  source: PathSource,
): Promise<string | undefined> {
  for (const one of spellings(path, name)) {
    const found = one.includes("..") || one.length === 0 ? undefined : await walk(source, one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The ways to read a path, each as its segments. */
function spellings(path: string, name: string): string[][] {
  const bare = path.trim().replace(/^(["'`<]+)(.*?)[>"'`]+$/, "$2");
  const texts = new Set([
    path,
    bare,
    decoded(bare),
    bare.startsWith(`${name}:`) ? bare.slice(name.length + 1) : path,
  ]);
  return [...texts].flatMap((text) => {
    const slashes = text.replaceAll("\\", "/");
    const segments = slashes.split("/").filter((segment) => segment !== "" && segment !== ".");
    const inner = segments.indexOf(name);
    const isOfDiff = segments.length > 1 && /^[ab]$/.test(segments[0] ?? "");
    return [
      segments,
      ...(inner === -1 ? [] : [segments.slice(inner + 1)]),
      ...(isOfDiff ? [segments.slice(1)] : []),
    ];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function walk(source: PathSource, segments: readonly string[]): Promise<string | undefined> {
  let relative = "";
  for (const segment of segments) {
    const next = (await source.has(relative, segment))
      ? segment
      : entryLike(await source.entries(relative), segment);
    if (next === undefined) return undefined;
    relative = relative === "" ? next : `${relative}/${next}`;
  }
  return relative;
}

async function entriesOf(root: string, folder: string): Promise<readonly string[]> {
  // A symbolic link must not show what is in folders outside of the repository.
  const real = await realpath(folder).catch(() => "");
  if (real !== root && !real.startsWith(`${root}/`)) return [];
  return readdir(real).catch(() => []);
}

function entryLike(entries: readonly string[], segment: string): string | undefined {
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
