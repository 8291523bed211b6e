import { BELOW, type Freshness, type IndexJob, reading } from "../job.ts";
import type { FoundSymbol } from "./find-symbol.ts";

export interface OverviewJob extends IndexJob {
  path: string;
  /** 1: only what lies in nothing else. */
  depth: number;
  offset: number;
  limit: number;
}

/** The symbols of a file or folder, in the order of the files and lines. */
export function overview(job: OverviewJob): Promise<{ symbols: FoundSymbol[]; total: number } & Freshness> {
  return reading(
    job,
    (db) => {
      const from = `FROM symbols JOIN files ON files.id = symbols.file WHERE ${BELOW}
      AND (parent = '' OR length(parent) - length(replace(parent, '/', '')) + 2 <= :depth)`;
      const { path, depth, offset, limit } = job;
      const total = db.prepare(`SELECT count(*) AS n ${from}`).get({ path, depth });
      const symbols = db
        .prepare(
          `SELECT files.path, name, kind, parent, start_line, symbols.line, col AS column, end_line, signature ${from}
         ORDER BY files.path, symbols.line, symbols.col LIMIT :limit OFFSET :offset`,
        )
        .all({ path, depth, offset, limit });
      return { symbols: symbols as unknown as FoundSymbol[], total: Number(total?.n) };
    },
    job.path,
  );
}
