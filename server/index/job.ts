import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type IndexMeta, openForQueries, readMeta } from "./database.ts";
import { OpenDatabases } from "./open-databases.ts";
import { prepared } from "./prepared.ts";

/** The arguments of each job over an index. */
export interface IndexJob {
  /** The database file of the current generation. */
  database: string;
  /** The repository's work tree. */
  root: string;
}

/** What a job may use in its thread. */
export interface JobContext {
  /** True if the time limit has passed: the job should return what it has. @throws if the call was cancelled */
  timeUp(): boolean;
  /** Reports how far the job is. It may be called often: the thread passes few of the reports on. */
  progress(done: number, total: number): void;
}

/** The state of the index that a result came from. */
export interface Freshness {
  commit: string;
  indexed_at: string;
  /** Files of the searched folder without text or symbols in the index. */
  left_out: LeftOut;
}

export interface LeftOut {
  files: number;
  /** The first few, as "path (why)". */
  examples: string[];
}

/** Number of examples. */
const MAX_EXAMPLES = 5;

const open = new OpenDatabases(openForQueries);

/**
 * Calls `use` with one consistent state of the index: a build that ends meanwhile is not seen.
 *
 * @param scope the searched file or folder; "" is the whole repository
 */
export async function reading<T>(
  job: IndexJob,
  use: (db: DatabaseSync, meta: Pick<Freshness, "commit">) => T | Promise<T>,
  scope = "",
): Promise<T & Freshness> {
  return inOneState(job.database, async (db, { commit, indexed_at }) => ({
    ...(await use(db, { commit })),
    commit,
    indexed_at,
    left_out: leftOut(db, scope),
  }));
}

/** The same, without what a result says about the state. */
export async function inOneState<T>(
  database: string,
  use: (db: DatabaseSync, meta: IndexMeta) => T | Promise<T>,
): Promise<T> {
  const db = open.get(database);
  db.exec("BEGIN");
  try {
    return await use(db, readMeta(db));
  } finally {
    db.exec("COMMIT");
  }
}

function leftOut(db: DatabaseSync, path: string): LeftOut {
  const from = `FROM left_out AS files WHERE ${BELOW}`;
  const files = Number(prepared(db, `SELECT count(*) AS n ${from}`).get({ path })?.n);
  if (files === 0) return { files, examples: [] };
  const rows = prepared(db, `SELECT path, why ${from} ORDER BY path LIMIT ${MAX_EXAMPLES}`).all({ path });
  return { files, examples: rows.map((row) => `${row.path} (${row.why})`) };
}

/**
 * Closes the earlier generations of a repository's index: a deleted file takes disk space while it is open.
 *
 * @param database the database file of the current generation
 */
export async function closeOthers({ database: current }: { database: string }): Promise<void> {
  for (const file of open.files())
    if (file !== current && dirname(file) === dirname(current)) open.close(file);
}

/** SQL: a file is `:path` or below it; "" is the whole repository. */
export const BELOW =
  "(:path = '' OR files.path = :path OR substr(files.path, 1, length(:path) + 1) = :path || '/')";

/** Paths of tests, examples, vendored and built code, which come last in results. */
export const SECONDARY =
  /(^|\/)(tests?|__tests__|specs?|testdata|fixtures?|examples?|vendor|third_party|node_modules|dist|build|mocks?|bench(marks?)?)\/|[._-](test|spec)\.\w+$|_test\.\w+$/i;
