import type { DatabaseSync } from "node:sqlite";
import { prepared } from "../prepared.ts";

/** What the precise indexes describe as it is now: git's hash of the file is the same in both indexes. */
export interface CurrentFiles {
  /** `documents.id` of the precise index. */
  readonly documents: ReadonlySet<number>;
  /** `files.id` of the lexical index. */
  readonly files: ReadonlySet<number>;
}

interface Kept extends CurrentFiles {
  readonly lexical: DatabaseSync;
  /** Of both databases, and the indexes that count. */
  readonly state: string;
}

const kept = new WeakMap<DatabaseSync, Kept>();

/**
 * Compares the documents of a precise index with the files of the lexical one. It reads all of both once, and again when another connection
 * has changed one of them.
 *
 * @param active the ids of the indexes that count, as a JSON array
 */
export function currentFiles(precise: DatabaseSync, lexical: DatabaseSync, active: string): CurrentFiles {
  const state = `${versionOf(precise)} ${versionOf(lexical)} ${active}`;
  const known = kept.get(precise);
  if (known?.lexical === lexical && known.state === state) return known;
  const files = new Map<string, { id: number; oid: string }>();
  for (const row of lexical.prepare("SELECT id, path, oid FROM files").iterate())
    files.set(String(row.path), { id: Number(row.id), oid: String(row.oid) });
  const current = { documents: new Set<number>(), files: new Set<number>(), lexical, state };
  const sql = "SELECT id, path, oid FROM documents WHERE index_id IN (SELECT value FROM json_each(?))";
  for (const row of precise.prepare(sql).iterate(active)) {
    const file = files.get(String(row.path));
    if (!file || file.oid !== row.oid) continue;
    current.documents.add(Number(row.id));
    current.files.add(file.id);
  }
  kept.set(precise, current);
  return current;
}

/** Changes with each commit of another connection (sqlite.org/pragma.html#pragma_data_version). */
const versionOf = (db: DatabaseSync) => prepared(db, "PRAGMA data_version").get()?.data_version;
