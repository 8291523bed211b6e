import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sizeInMemory } from "../byte-cache.ts";
import type { Made } from "../file-backed.ts";
import { FileBacked } from "../file-backed.ts";
import { git } from "../git.ts";
import { PerRepository } from "../per-repository.ts";
import { Snapshot } from "../snapshot.ts";
import { stateOf } from "./state.ts";

/** The files of a work tree that callers may see: tracked, or untracked and not ignored. */
export interface Listing {
  /** In the order of git. */
  readonly files: ReadonlySet<string>;
  readonly sorted: readonly string[];
  /** Those that git does not track. */
  readonly untracked: readonly string[];
  /** Absolute paths of the attribute files (gitattributes(5)) among them. */
  readonly attributes: readonly string[];
}

/** A repository with more folders is listed by git at each call: to check as many for changes is not faster. */
const MAX_FOLDERS = 10_000;

const listings = new PerRepository((root) => new FileBacked(() => makeListing(root)));

/** The listing of a repository, as new as the call. @throws ToolError if git takes too long or fails */
export function listingOf(root: string, signal?: AbortSignal): Promise<Listing> {
  return listings.of(root).get(signal);
}

const LISTING = ["ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard"];

async function makeListing(root: string): Promise<Made<Listing>> {
  const { gitDir, commonDir } = await stateOf(root);
  const output = (await git(root, LISTING)).toString("utf8");
  const files = new Set<string>();
  const untracked: string[] = [];
  for (const entry of output.split("\0")) {
    if (entry === "") continue;
    // A letter and a blank: "H src/main.ts"; "?" is an untracked file.
    const path = entry.slice(2);
    if (entry.startsWith("?")) untracked.push(path);
    files.add(path);
  }
  const tree = await foldersOfWorkTree(root, files);
  const attributes = [...files].filter((path) => /(^|\/)\.gitattributes$/.test(path));
  const value: Listing = {
    files,
    sorted: [...files].sort(),
    untracked,
    attributes: attributes.map((path) => join(root, path)),
  };
  const snapshot = new Snapshot({
    paths: [
      join(gitDir, "index"),
      join(gitDir, "config.worktree"),
      join(commonDir, "config"),
      join(commonDir, "info", "exclude"),
      ...(tree ?? []),
    ],
    identities: [join(root, ".git")],
  });
  const bytes = sizeInMemory(files) + 8 * files.size + 300 * (tree?.length ?? 0);
  return { value, snapshot, bytes: tree ? bytes : Number.POSITIVE_INFINITY };
}

/**
 * The folders whose entries decide about the listing, and the files with ignore rules in them. Those are the folders with listed files, and
 * others that git does not ignore: a file may be created there.
 *
 * @returns undefined if there are too many
 */
async function foldersOfWorkTree(root: string, files: ReadonlySet<string>): Promise<string[] | undefined> {
  const listed = foldersOfFiles(files);
  if (listed.size > MAX_FOLDERS) return undefined;
  const watched: string[] = [];
  let next: readonly string[] = [...listed];
  while (next.length > 0) {
    const without: string[] = [];
    for (const { folder, entries } of await Promise.all(next.map((folder) => read(root, folder)))) {
      watched.push(join(root, folder));
      for (const entry of entries) {
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.name === ".git") {
          // A repository in this one. git lists the folder alone while it is one.
          if (folder !== "") watched.push(join(root, path), join(root, path, "HEAD"));
        } else if (entry.name === ".gitignore") watched.push(join(root, path));
        else if (entry.isDirectory() && !listed.has(path) && !files.has(path)) {
          // A repository in this one is listed as "path/".
          if (files.has(`${path}/`))
            watched.push(...[path, `${path}/.git`, `${path}/.git/HEAD`].map((one) => join(root, one)));
          else without.push(path);
        }
      }
    }
    if (watched.length + without.length > 2 * MAX_FOLDERS) return undefined;
    next = await notIgnored(root, without);
  }
  return watched;
}

/** The folders with listed files, and those above them; "" is the work tree. */
function foldersOfFiles(files: ReadonlySet<string>): Set<string> {
  const folders = new Set([""]);
  for (const file of files) {
    // A repository in this one ends with a slash: its own folder is not read.
    let end = file.lastIndexOf("/", file.length - 2);
    while (end > 0 && !folders.has(file.slice(0, end))) {
      folders.add(file.slice(0, end));
      end = file.lastIndexOf("/", end - 1);
    }
  }
  return folders;
}

async function read(root: string, folder: string) {
  // A listed file may have been deleted with its folder.
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  return { folder, entries };
}

async function notIgnored(root: string, folders: readonly string[]): Promise<string[]> {
  if (folders.length === 0) return [];
  const args = ["check-ignore", "-z", "--stdin", "--verbose", "--non-matching"];
  const input = folders.map((folder) => `${folder}\0`).join("");
  // It ends with 1 if none is ignored.
  const output = (await git(root, args, undefined, { input, exitCodes: [0, 1] }))
    .toString("utf8")
    .split("\0");
  const ignored = new Set<string>();
  // Four fields each: file, line and text of the rule, and the path. The first three are empty if no rule matches.
  for (let n = 0; n + 4 <= output.length; n += 4) {
    const [, , rule = "", path = ""] = output.slice(n, n + 4);
    if (rule !== "" && !rule.startsWith("!")) ignored.add(path);
  }
  return folders.filter((folder) => !ignored.has(folder));
}
