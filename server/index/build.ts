import { rm } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { listGitFiles } from "../workspace/git.ts";
import { MAX_FILE_BYTES } from "../workspace/served-file.ts";
import { createDatabase, type IndexMeta, openForUpdate, readMeta, writeMeta } from "./database.ts";
import { FileIndex } from "./file-index.ts";
import { IndexFolder } from "./folder.ts";
import type { JobContext } from "./job.ts";
import { languageOf } from "./languages.ts";
import { TextIndex } from "./trigrams/text-index.ts";
import {
  changedBetween,
  type GitHash,
  hashOfCommit,
  type LoadedFile,
  TreeReader,
  type TreeState,
  treeState,
} from "./work-tree.ts";

/** Largest number of files in an index; the last ones by path are left out. */
const MAX_FILES = 200_000;
/** Number of files that are read ahead, each at most MAX_INDEXED_BYTES. */
const READ_AHEAD = 8;

export interface BuildOptions {
  /** INDEX_DIR. */
  dir: string;
  /** The repository's work tree. */
  root: string;
  /** Default: 200,000. */
  maxFiles?: number;
}

/** The context of the job, as far as a build uses it. */
type BuildContext = Pick<JobContext, "progress">;

export interface BuildResult {
  /** `locked`: another process is building it. */
  did: "full" | "update" | "nothing" | "locked";
  meta: IndexMeta | undefined;
  /** Number of files that were read. */
  read: number;
}

/**
 * Updates the index of a repository to its work tree: from the files that git reports as changed if there is an index, else from scratch.
 * Queries see the old state until the new one is complete, also if this process is killed before.
 */
export async function buildIndex(
  options: BuildOptions,
  context: BuildContext = { progress: () => undefined },
): Promise<BuildResult> {
  const folder = new IndexFolder(options.dir, options.root);
  const unlock = await folder.lock();
  if (!unlock) return { did: "locked", meta: undefined, read: 0 };
  try {
    const state = await treeState(options.root);
    return (await update(folder, state, options, context)) ?? (await create(folder, state, options, context));
  } finally {
    unlock();
  }
}

async function create(
  folder: IndexFolder,
  state: TreeState,
  options: BuildOptions,
  context: BuildContext,
): Promise<BuildResult> {
  const file = await folder.next();
  const db = createDatabase(file);
  try {
    const { paths, beyond } = await listing(options);
    const place = { root: options.root, hash: hashOfCommit(state.commit) };
    db.exec("BEGIN");
    const read = await addFiles(db, paths, place, context);
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

/** @returns undefined if there is no usable index to start from */
async function update(
  folder: IndexFolder,
  state: TreeState,
  options: BuildOptions,
  context: BuildContext,
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
    const place = { root: options.root, hash: hashOfCommit(state.commit) };
    const { paths, beyond } = await listing(options);
    const listed = new Set(paths);
    const candidates = [...between, ...meta.dirty, ...state.dirty, ...beyondBefore(db)];
    const changed = new Set(candidates.filter((path) => listed.has(path)));
    // IMMEDIATE waits for another writer here, not in the middle.
    db.exec("BEGIN IMMEDIATE");
    for (const path of await recheck(db, place, changed)) if (listed.has(path)) changed.add(path);
    const texts = new TextIndex(db);
    const gone = (path: string) => !listed.has(path) || changed.has(path);
    for (const path of index.paths().filter(gone)) index.remove(path);
    for (const path of texts.paths().filter(gone)) texts.remove(path);
    const read = await addFiles(db, [...changed].sort(), place, context);
    leaveOutBeyond(db, beyond, paths.length);
    const after = finish(db, state);
    db.exec("COMMIT");
    db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    return { did: "update", meta: after, read };
  } catch (error) {
    // A damaged file would fail each time, so it is built again. Other errors are temporary.
    if (/malformed|not a database|corrupt/.test((error as Error).message)) return undefined;
    throw error;
  } finally {
    db.close();
  }
}

/**
 * Looks at the files that were touched although git does not report them as changed: a checkout of another branch and back, a file that was
 * read while it changed.
 *
 * @param changed files that are read in any case
 * @returns those with another content. Of the others the new state is recorded.
 */
async function recheck(
  db: DatabaseSync,
  { root, hash }: { root: string; hash: GitHash },
  changed: ReadonlySet<string>,
): Promise<string[]> {
  const texts = new TextIndex(db);
  const reader = new TreeReader(root, hash);
  const other: string[] = [];
  for (const [path, oid] of texts.touched(root)) {
    if (changed.has(path)) continue;
    const { oid: now, state } = await reader.load(path, MAX_FILE_BYTES);
    if (now === undefined || now !== oid || !state) other.push(path);
    else texts.touch(path, state);
  }
  return other;
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

/** Files beyond the limit of the last build. Some of them fit once other files are gone. */
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

async function addFiles(
  db: DatabaseSync,
  paths: readonly string[],
  { root, hash }: { root: string; hash: GitHash },
  context: BuildContext,
): Promise<number> {
  const index = new FileIndex(db);
  const texts = new TextIndex(db);
  const reader = new TreeReader(root, hash);
  // Reads files while the parser works.
  const ahead: Promise<LoadedFile>[] = [];
  let read = 0;
  for (const [n, path] of paths.entries()) {
    context.progress(n, paths.length);
    while (ahead.length < READ_AHEAD && n + ahead.length < paths.length)
      ahead.push(reader.load(paths[n + ahead.length] ?? ""));
    const loaded = (await ahead.shift()) ?? {};
    const { text, oid = "", why } = loaded;
    // Searches of text go through larger files than the other queries.
    texts.add(path, why === "larger than 1 MiB" ? await reader.load(path, MAX_FILE_BYTES) : loaded);
    // A binary file counts as left out only if its name is that of source code, since users do not expect images in the index.
    if (why !== undefined && (why !== "binary" || languageOf(path))) index.leaveOut(path, why);
    if (text === undefined) continue;
    await index.add(path, text, oid);
    read++;
  }
  texts.finish();
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
