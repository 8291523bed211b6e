import { BELOW, type Freshness, type IndexJob, reading } from "../job.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";

export interface OverviewJob extends IndexJob {
  path: string;
  /** 1 for top-level symbols. */
  depth: number;
  offset: number;
  limit: number;
}

/** The symbols of a file or folder, by path and line. */
export function overview(job: OverviewJob): Promise<{ symbols: FoundSymbol[]; total: number } & Freshness> {
  return reading(
    job,
    (db) => {
      const from = `${SYMBOL_TABLES} WHERE ${BELOW}
      AND (parent = '' OR length(parent) - length(replace(parent, '/', '')) + 2 <= :depth)`;
      const { path, depth, offset, limit } = job;
      const total = db.prepare(`SELECT count(*) AS n ${from}`).get({ path, depth });
      const symbols = db
        .prepare(
          `SELECT ${SYMBOL_COLUMNS} ${from}
         ORDER BY files.path, symbols.line, symbols.col LIMIT :limit OFFSET :offset`,
        )
        .all({ path, depth, offset, limit });
      return { symbols: symbols as unknown as FoundSymbol[], total: Number(total?.n) };
    },
    job.path,
  );
}
