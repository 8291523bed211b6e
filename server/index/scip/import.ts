import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../tool-error.ts";
import { git } from "../../workspace/git.ts";
import { IndexFolder } from "../folder.ts";
import type { JobContext } from "../job.ts";
import { openPreciseForUpdate, PRECISE_FILE } from "./database.ts";
import { ScipError, scipParts } from "./format.ts";
import { type IndexDescription, PreciseWriter } from "./writer.ts";

export interface ImportJob {
  /** INDEX_DIR. */
  dir: string;
  /** The repository's work tree. */
  root: string;
  /** The SCIP file. */
  file: string;
  /** Full hash of the commit that was indexed. */
  commit: string;
  source: IndexDescription["source"];
  /** Changed paths: an earlier description of them is removed. */
  replaced?: readonly string[];
  /** Paths whose files in the work tree are not those of the commit. They get no description. */
  without?: readonly string[];
  /** Commit of an earlier index of the same tool that this one updates. */
  updates?: string;
}

export interface Imported {
  tool: string;
  documents: number;
  occurrences: number;
}

/** Number of paths that a refusal names. */
const MAX_NAMED = 5;

/**
 * Reads a SCIP file into the precise indexes of a repository. All of it, or nothing.
 *
 * @throws ToolError if the file is not SCIP, too large, or describes other files than those of the commit
 */
export async function importScip(job: ImportJob, context: Pick<JobContext, "timeUp">): Promise<Imported> {
  const files = await filesOf(job.root, job.commit);
  const folder = new IndexFolder(job.dir, job.root).path;
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const db = openPreciseForUpdate(join(folder, PRECISE_FILE));
  try {
    db.exec("BEGIN IMMEDIATE");
    const imported = await importFile(job, db, files, context);
    db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    return imported;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error instanceof ScipError ? new ToolError(`The index was refused: ${error.message}.`) : error;
  } finally {
    db.close();
  }
}

async function importFile(
  job: ImportJob,
  db: ReturnType<typeof openPreciseForUpdate>,
  files: ReadonlyMap<string, string>,
  context: Pick<JobContext, "timeUp">,
): Promise<Imported> {
  let tool = "";
  let writer: PreciseWriter | undefined;
  const unknown: string[] = [];
  const without = new Set(job.without);
  for await (const part of scipParts(createReadStream(job.file, { highWaterMark: 1024 * 1024 }))) {
    if (context.timeUp()) throw new ScipError("reading it took too long");
    if ("metadata" in part) {
      tool ||= part.metadata.tool;
      continue;
    }
    const { document } = part;
    if (without.has(document.path)) continue;
    const oid = files.get(document.path);
    if (oid === undefined) {
      // The indexer of this server also describes files that git does not track.
      if (job.source === "upload") unknown.push(document.path);
      if (unknown.length > MAX_NAMED) break;
      continue;
    }
    writer ??= startWriter(db, job, tool);
    // Indexers that do not say it count UTF-16 units, scip-typescript and scip-python among them.
    writer.add(document, oid, document.unit ?? "utf16");
  }
  if (unknown.length > 0) throw new ScipError(describeUnknown(unknown, job.commit));
  // An update that only removes files has no documents.
  if (!writer && job.updates !== undefined) writer = startWriter(db, job, tool);
  if (!writer) throw new ScipError("it has no documents");
  writer.removeOld();
  return { tool, documents: writer.documents, occurrences: writer.occurrences };
}

function startWriter(
  db: ReturnType<typeof openPreciseForUpdate>,
  { commit, source, updates, replaced }: ImportJob,
  tool: string,
): PreciseWriter {
  if (updates !== undefined)
    db.prepare("UPDATE indexes SET commit_hash = ? WHERE tool = ? AND source = ? AND commit_hash = ?").run(
      commit,
      tool,
      source,
      updates,
    );
  const writer = new PreciseWriter(db, { tool: tool || "unknown", commit, source });
  for (const path of replaced ?? []) writer.remove(path);
  return writer;
}

function describeUnknown(paths: readonly string[], commit: string): string {
  const named = paths.slice(0, MAX_NAMED).map((path) => JSON.stringify(path.slice(0, 200)));
  const more = paths.length > MAX_NAMED ? " and others" : "";
  return `commit ${commit.slice(0, 12)} has no file ${named.join(", ")}${more}. The paths of its documents must be relative to the root of the repository; run the indexer there, at that commit`;
}

/** The files of a commit with git's hashes. @throws ToolError if the repository has no such commit */
async function filesOf(root: string, commit: string): Promise<Map<string, string>> {
  const listing = (await git(root, ["ls-tree", "-r", "-z", "--full-tree", commit])).toString("utf8");
  const files = new Map<string, string>();
  for (const entry of listing.split("\0")) {
    const match = /^100\d{3} blob ([0-9a-f]+)\t(.*)$/s.exec(entry);
    if (match?.[1] && match[2] !== undefined) files.set(match[2], match[1]);
  }
  return files;
}
