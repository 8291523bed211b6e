import { createHash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, readFileSync, realpathSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { fileText } from "../workspace/file-text.ts";
import { stateOf } from "../workspace/git/state.ts";
import { git } from "../workspace/git.ts";
import { keptResult } from "../workspace/kept-result.ts";
import { openResolved, openResolvedSync } from "../workspace/open-resolved.ts";
import { CLOCK_MS } from "../workspace/snapshot.ts";

/** Larger files are generated or data, bytes. */
export const MAX_INDEXED_BYTES = 1024 * 1024;
/** Bytes of a larger file that are read to tell text from binary. */
const PROBE_BYTES = 8_192;

/** The commit that is checked out, and how the work tree differs from it. */
export interface TreeState {
  /** Full hash, or "" before the first commit. */
  commit: string;
  /** Changed, new and deleted paths. */
  dirty: string[];
  /** Equal fingerprints mean that nothing changed in between. */
  fingerprint: string;
}

export async function treeState(root: string, signal?: AbortSignal): Promise<TreeState> {
  const commit = await headCommit(root, signal);
  const args = [
    "status",
    "--porcelain=v1",
    "-z",
    "--no-renames",
    "--untracked-files=all",
    "--ignore-submodules=all",
  ];
  const listing = (await git(root, args, signal)).toString("utf8");
  const dirty = listing.split("\0").flatMap((entry) => (entry === "" ? [] : [entry.slice(3)]));
  const hash = createHash("sha256").update(commit);
  for (const path of dirty.sort()) {
    const stat = await lstat(join(root, path)).catch(() => undefined);
    hash.update(`\0${path}\0${stat ? `${stat.mtimeMs}/${stat.size}` : "gone"}`);
  }
  return { commit, dirty, fingerprint: hash.digest("hex") };
}

/** @returns "" in a repository without commits */
export async function headCommit(root: string, signal?: AbortSignal): Promise<string> {
  const state = await stateOf(root, signal).catch(() => undefined);
  if (state?.head !== undefined) return state.head;
  const args = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
  const key = state?.refsKey && `head\0${state.refsKey}`;
  const output = await keptResult(key, signal, async (shared) =>
    (await git(root, args, shared)).toString(),
  ).catch(() => "");
  return output.trim();
}

/**
 * The paths that differ between two commits.
 *
 * @returns undefined if git no longer has the older one (after a new clone or a shallow fetch)
 */
export async function changedBetween(root: string, from: string, to: string): Promise<string[] | undefined> {
  if (from === to) return [];
  if (from === "" || to === "") return undefined;
  try {
    const args = [
      "diff",
      "--name-only",
      "-z",
      "--no-renames",
      "--no-ext-diff",
      "--ignore-submodules=all",
      from,
      to,
      "--",
    ];
    return (await git(root, args)).toString("utf8").split("\0").filter(Boolean);
  } catch {
    return undefined;
  }
}

/** The object format of a repository (git-init(1), `--object-format`). */
export type GitHash = "sha1" | "sha256";

/** The object format of a repository with this commit; sha1 before the first commit. */
export const hashOfCommit = (commit: string): GitHash => (commit.length === 64 ? "sha256" : "sha1");

/** The hash by which git names a file with this content (gitformat, "blob"). */
export function blobHash(content: Buffer, hash: GitHash): string {
  return createHash(hash).update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** A file of the work tree. All fields are missing for what is not a regular file. */
export interface LoadedFile {
  text?: string;
  /** git's hash of the content. */
  oid?: string;
  /** Why there is no text. */
  why?: "binary" | "larger than 1 MiB";
  /**
   * By which a change is noticed: the size in bytes, and the time of the last change of content or attributes (`st_ctime`), in milliseconds.
   * The time is 0 if the file changed just before it was read: it may change again within the same tick of the clock.
   */
  state?: { size: number; changed: number };
}

/** Reads the text files of a work tree, and nothing outside it. */
export class TreeReader {
  readonly root: string;
  readonly #hash: GitHash;
  readonly #folders = new Map<string, boolean>();

  /** @param hash the repository's object format. Default: sha1 */
  constructor(root: string, hash: GitHash = "sha1") {
    this.root = root;
    this.#hash = hash;
  }

  /** @returns undefined for links, folders, devices, and binary or large files */
  async read(path: string): Promise<string | undefined> {
    return (await this.load(path)).text;
  }

  /** The same for a thread of queries. */
  readSync(path: string): string | undefined {
    const file = join(this.root, path);
    if (!this.#inside(dirname(file))) return undefined;
    let fd: number | undefined;
    try {
      fd = openResolvedSync(file);
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= MAX_INDEXED_BYTES ? fileText(readFileSync(fd)) : undefined;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /**
   * By which a change of a file is noticed. A link or a folder on the path that is exchanged leads to another file.
   *
   * @returns undefined for what is not a regular file, and for one that has just changed: it may change again within the same tick of the clock
   */
  stateSync(path: string): string | undefined {
    const stat = lstatSync(join(this.root, path), { throwIfNoEntry: false });
    if (!stat?.isFile() || stat.ctimeMs >= Date.now() - CLOCK_MS) return undefined;
    return `${stat.dev} ${stat.ino} ${stat.size} ${stat.ctimeMs}`;
  }

  /** @param maxBytes a larger file is not read. Default: MAX_INDEXED_BYTES */
  async load(path: string, maxBytes = MAX_INDEXED_BYTES): Promise<LoadedFile> {
    const file = join(this.root, path);
    if (!this.#inside(dirname(file))) return {};
    const handle = await openResolved(file).catch(() => undefined);
    if (!handle) return {};
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return {};
      const state = { size: stat.size, changed: stat.ctimeMs < Date.now() - CLOCK_MS ? stat.ctimeMs : 0 };
      if (stat.size > maxBytes) {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, 0);
        const isText = fileText(buffer.subarray(0, bytesRead)) !== undefined;
        return { why: isText ? "larger than 1 MiB" : "binary", state };
      }
      const content = await handle.readFile();
      const text = fileText(content);
      const oid = blobHash(content, this.#hash);
      return text === undefined ? { why: "binary", oid, state } : { text, oid, state };
    } catch {
      return {};
    } finally {
      await handle.close();
    }
  }

  /** A folder on the path may have become a link since git listed the file. */
  #inside(folder: string): boolean {
    let known = this.#folders.get(folder);
    if (known === undefined) {
      try {
        const real = realpathSync(folder);
        known = (real === this.root || real.startsWith(this.root + sep)) && lstatSync(real).isDirectory();
      } catch {
        known = false;
      }
      this.#folders.set(folder, known);
    }
    return known;
  }
}
