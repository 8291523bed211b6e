import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CLOCK_MS } from "../../workspace/snapshot.ts";
import { blobHash, hashOfCommit } from "../work-tree.ts";
import { FolderWatch } from "./folder-watch.ts";
import { Searchable } from "./searchable.ts";
import type { ReadFile } from "./searched-text.ts";

/** The files that callers may see, in memory that the threads share. */
export interface Listing {
  /** Different for each listing. */
  readonly id: number;
  /** Paths in UTF-8, each with a NUL after it. */
  readonly paths: SharedArrayBuffer;
}

interface IndexState {
  readonly state: string;
  readonly commit: string;
}

/** A file in the index. Another content has another id. */
export interface Entry {
  readonly id: number;
  readonly searchable: boolean;
  size: number;
  /** See LoadedFile. */
  changed: number;
}

/** Larger repositories take too much memory in a thread, files. */
const MAX_FILES = 60_000;
/** All files are compared after this time, milliseconds. A program that writes to mapped memory is not reported (inotify(7)). */
const COMPARE_MS = 30_000;

/**
 * The files of a work tree beside those in the index: which of them are as they were indexed, and which must be searched themselves. It stays
 * in its thread between searches.
 */
export class TextTree {
  readonly #root: string;
  readonly #identity: string;
  #watch: FolderWatch | undefined;
  #entries = new Map<string, Entry>();
  /** The paths in the index in their order, and the places in it by id. */
  #order: readonly string[] = [];
  #places = new Int32Array();
  #tooLarge: readonly string[] = [];
  #indexed = "";
  #listing: number | undefined;
  #listed: ReadonlySet<string> = new Set();
  #suspects = new Set<string>();
  #compared = Number.NEGATIVE_INFINITY;
  #sha: "sha1" | "sha256" = "sha1";

  constructor(root: string) {
    this.#root = root;
    this.#identity = identityOf(root);
  }

  /** Whether the folder is still the same one. */
  get isSame(): boolean {
    return identityOf(this.#root) === this.#identity;
  }

  /** Files that are not in the index, or may differ from it. */
  get suspects(): ReadonlySet<string> {
    return this.#suspects;
  }

  /** The files with these ids that callers may see and that are as they were indexed, sorted by inPathOrder. */
  current(ids: Iterable<number>): string[] {
    const places = new Uint32Array(this.#order.length);
    let count = 0;
    for (const id of ids) {
      const place = this.#places[id] ?? -1;
      if (place !== -1) places[count++] = place;
    }
    return Array.from(places.subarray(0, count).sort(), (place) => this.#order[place] ?? "").filter(
      (path) => this.#listed.has(path) && !this.#suspects.has(path),
    );
  }

  /** The files that callers may see. */
  get listed(): ReadonlySet<string> {
    return this.#listed;
  }

  /** The file in the index that has the content of this one; undefined if that is not known. */
  indexed(path: string): Readonly<Entry> | undefined {
    return this.#suspects.has(path) ? undefined : this.#entries.get(path);
  }

  /** Whether a file is known to have no text that is searched. */
  isUnsearchable(path: string): boolean {
    return this.indexed(path)?.searchable === false;
  }

  /** The text files that are too large to be searched. */
  tooLarge(): string[] {
    return this.#tooLarge.filter((path) => this.#listed.has(path));
  }

  /** All files without text that is searched. */
  unsearchable(): string[] {
    return [...this.#entries.keys()].filter((path) => this.isUnsearchable(path) && this.#listed.has(path));
  }

  /**
   * Compares the files with the index.
   *
   * @param index its commit, and a text that differs for each state of it
   * @returns false if the repository is too large
   */
  refresh(db: DatabaseSync, index: IndexState, listing: Listing): boolean {
    const changes = this.#watch?.changes();
    const isOther = this.#indexed !== index.state || this.#listing !== listing.id;
    if (this.#indexed !== index.state && !this.#load(db, index)) return false;
    if (this.#listing !== listing.id) {
      this.#listing = listing.id;
      this.#listed = new Set(pathsOf(listing));
    }
    const now = performance.now();
    if (changes && !isOther && now - this.#compared < COMPARE_MS) {
      for (const path of changes) this.#compare(path);
      return true;
    }
    // Before the comparison, so that no change falls between them.
    this.#watch ??= new FolderWatch(this.#root);
    this.#watch.cover(foldersOf(this.#entries.keys()));
    this.#suspects = new Set();
    for (const path of this.#listed) this.#compare(path);
    this.#compared = now;
    return true;
  }

  /** Reports what a suspect contained, so that it is not read again if only its times had changed. */
  verify(db: DatabaseSync, path: string, { bytes, stat }: ReadFile): void {
    const entry = this.#entries.get(path);
    if (!entry || stat.ctimeMs >= Date.now() - CLOCK_MS) return;
    const row = db.prepare("SELECT oid FROM texts WHERE id = ?").get(entry.id);
    if (row?.oid !== blobHash(bytes, this.#sha)) return;
    entry.size = stat.size;
    entry.changed = stat.ctimeMs;
    this.#suspects.delete(path);
  }

  close(): void {
    this.#watch?.close();
  }

  #load(db: DatabaseSync, { state, commit }: IndexState): boolean {
    if (Number(db.prepare("SELECT count(*) AS n FROM texts").get()?.n) > MAX_FILES) return false;
    this.#entries = new Map();
    const tooLarge: string[] = [];
    for (const row of db.prepare("SELECT id, path, searchable, size, changed FROM texts").iterate()) {
      const [id, size, changed] = [Number(row.id), Number(row.size), Number(row.changed)];
      const searchable = row.searchable === Searchable.text;
      this.#entries.set(String(row.path), { id, searchable, size, changed });
      if (row.searchable === Searchable.tooLarge) tooLarge.push(String(row.path));
    }
    this.#tooLarge = tooLarge;
    this.#order = inPathOrder([...this.#entries.keys()]);
    const ids = this.#order.map((path) => this.#entries.get(path)?.id ?? 0);
    this.#places = new Int32Array(ids.reduce((most, id) => Math.max(most, id), 0) + 1).fill(-1);
    for (const [place, id] of ids.entries()) this.#places[id] = place;
    this.#indexed = state;
    this.#sha = hashOfCommit(commit);
    return true;
  }

  #compare(path: string): void {
    if (!this.#listed.has(path)) return;
    const entry = this.#entries.get(path);
    const stat = entry && statOf(join(this.#root, path));
    if (entry && stat?.size === entry.size && stat.ctimeMs === entry.changed) this.#suspects.delete(path);
    else this.#suspects.add(path);
  }
}

export function pathsOf({ paths }: Listing): string[] {
  return Buffer.from(paths).toString("utf8").split("\0").slice(0, -1);
}

/** The order of `rg --sort=path`: folder by folder. */
export function inPathOrder(paths: readonly string[]): string[] {
  return paths
    .map((path) => ({ path, key: path.replaceAll("/", "\0") }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ path }) => path);
}

function statOf(file: string) {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function identityOf(root: string): string {
  const { dev, ino } = statSync(root);
  return `${dev}/${ino}`;
}

/** The folders of some files, and those above them; "" is the root. */
function foldersOf(paths: Iterable<string>): Set<string> {
  const folders = new Set([""]);
  for (const path of paths)
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return folders;
}
