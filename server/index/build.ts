import { rm } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { listGitFiles } from "../workspace/git.ts";
import { createDatabase, type IndexMeta, openForUpdate, readMeta, writeMeta } from "./database.ts";
import { FileIndex } from "./file-index.ts";
import { IndexFolder } from "./folder.ts";
import { languageOf } from "./languages.ts";
import { changedBetween, TreeReader, type TreeState, treeState } from "./work-tree.ts";

/** More than so many files are left out, the last by name. */
const MAX_FILES = 200_000;
/** Files in memory before their turn, each at most MAX_INDEXED_BYTES. */
const READ_AHEAD = 8;

export interface BuildOptions {
  /** INDEX_DIR. */
  dir: string;
  /** The repository's work tree. */
  root: string;
  /** Default: 200,000. */
  maxFiles?: number;
  /** Told after every hundred files. */
  onProgress?: (done: number, total: number) => void;
}

export interface BuildResult {
  /** `locked`: another process is at it. */
  did: "full" | "update" | "nothing" | "locked";
  meta: IndexMeta | undefined;
  /** Files that were read. */
  read: number;
}

/**
 * Brings the index of a repository up to date with its work tree: by the files that git says have changed when there is an index, else
 * from nothing. Queries see the old state until the new one is whole, also when this process is killed half way.
 */
export async function buildIndex(options: BuildOptions): Promise<BuildResult> {
  const folder = new IndexFolder(options.dir, options.root);
  const unlock = await folder.lock();
  if (!unlock) return { did: "locked", meta: undefined, read: 0 };
  try {
    const state = await treeState(options.root);
    return (await update(folder, state, options)) ?? (await create(folder, state, options));
  } finally {
    unlock();
  }
}

async function create(folder: IndexFolder, state: TreeState, options: BuildOptions): Promise<BuildResult> {
  const file = await folder.next();
  const db = createDatabase(file);
  try {
    const { paths, beyond } = await listing(options);
    db.exec("BEGIN");
    const read = await addFiles(db, paths, options);
    leaveOutBeyond(db, beyond, paths.length);
    const meta = finish(db, state);
    db.exec("COMMIT");
    db.exec("PRAGMA journal_mode=WAL");
    db.close();
    await folder.publish(file);
    return { did: "full", meta, read };
  } catch (error) {
    if (db.isOpen) db.close();
    await rm(file, { force: true });
    throw error;
  }
}

/** @returns undefined when there is nothing to start from */
async function update(
  folder: IndexFolder,
  state: TreeState,
  options: BuildOptions,
): Promise<BuildResult | undefined> {
  const file = await folder.current();
  const opened = file === undefined ? undefined : openOld(file);
  if (!opened) return undefined;
  const { db, meta } = opened;
  try {
    if (meta.fingerprint === state.fingerprint) return { did: "nothing", meta, read: 0 };
    const between = await changedBetween(options.root, meta.commit, state.commit);
    if (!between) return undefined;
    const index = new FileIndex(db);
    const { paths, beyond } = await listing(options);
    const shown = new Set(paths);
    const looked = [...between, ...meta.dirty, ...state.dirty, ...beyondBefore(db)];
    const changed = new Set(looked.filter((path) => shown.has(path)));
    // IMMEDIATE: another writer is waited for here, not in the middle.
    db.exec("BEGIN IMMEDIATE");
    const gone = index.paths().filter((path) => !shown.has(path) || changed.has(path));
    for (const path of gone) index.remove(path);
    const read = await addFiles(db, [...changed].sort(), options);
    leaveOutBeyond(db, beyond, paths.length);
    const after = finish(db, state);
    db.exec("COMMIT");
    db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    return { did: "update", meta: after, read };
  } catch (error) {
    // A damaged file would fail each time; anything else is tried again as it was.
    if (/malformed|not a database|corrupt/.test((error as Error).message)) return undefined;
    throw error;
  } finally {
    db.close();
  }
}

async function listing({
  root,
  maxFiles = MAX_FILES,
}: BuildOptions): Promise<{ paths: string[]; beyond: string[] }> {
  const all = (await listGitFiles(root)).sort();
  return { paths: all.slice(0, maxFiles), beyond: all.slice(maxFiles) };
}

function leaveOutBeyond(db: DatabaseSync, paths: readonly string[], max: number): void {
  const index = new FileIndex(db);
  for (const path of paths) index.leaveOut(path, `more than ${max} files`);
}

/** What there was no room for: some of it has room when other files are gone. */
function beyondBefore(db: DatabaseSync): string[] {
  const rows = db.prepare("SELECT path FROM left_out WHERE why LIKE 'more than % files'").all();
  return rows.map((row) => String(row.path));
}

function openOld(file: string): { db: DatabaseSync; meta: IndexMeta } | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = openForUpdate(file);
    return { db, meta: readMeta(db) };
  } catch {
    db?.close();
    return undefined;
  }
}

async function addFiles(db: DatabaseSync, paths: readonly string[], options: BuildOptions): Promise<number> {
  const index = new FileIndex(db);
  const reader = new TreeReader(options.root);
  // The disk works ahead of the parser.
  const texts: ReturnType<TreeReader["look"]>[] = [];
  let read = 0;
  for (const [n, path] of paths.entries()) {
    if (n % 100 === 0) options.onProgress?.(n, paths.length);
    while (texts.length < READ_AHEAD && n + texts.length < paths.length)
      texts.push(reader.look(paths[n + texts.length] ?? ""));
    const { text, why } = (await texts.shift()) ?? {};
    // Pictures and archives are nobody's source: a binary file is missed only where its name promises one.
    if (why !== undefined && (why !== "binary" || languageOf(path))) index.leaveOut(path, why);
    if (text === undefined) continue;
    await index.add(path, text);
    read++;
  }
  options.onProgress?.(paths.length, paths.length);
  return read;
}

function finish(db: DatabaseSync, state: TreeState): IndexMeta {
  const totals = db.prepare("SELECT count(*) AS files, coalesce(sum(lines), 0) AS lines FROM files").get();
  const meta: IndexMeta = {
    commit: state.commit,
    fingerprint: state.fingerprint,
    indexed_at: new Date().toISOString(),
    files: Number(totals?.files),
    lines: Number(totals?.lines),
    dirty: state.dirty,
  };
  writeMeta(db, meta);
  return meta;
}
