import { sizeOf } from "../answer-size.ts";
import type { Freshness } from "../index/job.ts";
import type { Repository } from "../workspace/workspace.ts";
import type { ToolContext } from "./tool.ts";

/** The limits of a page, named as the tools' arguments are. */
export interface PageLimits {
  readonly offset: number;
  readonly max_results: number;
  /** Size of the results as JSON, see sizeOf. */
  readonly max_answer_chars: number;
}

export interface Page<T> {
  items: T[];
  truncated: boolean;
  next_offset: number | null;
}

/**
 * A page of results that are all in memory. It has at least one result, so that paging always ends.
 *
 * @param more true if there are results beyond those given
 */
export function page<T>(all: readonly T[], limits: PageLimits, more = false): Page<T> {
  return pageFrom(all.slice(limits.offset), limits, more);
}

/** The same, for results that were fetched from `offset` on. */
export function pageFrom<T>(rows: readonly T[], limits: PageLimits, more = false): Page<T> {
  const items = fitting(rows.slice(0, limits.max_results), limits.max_answer_chars);
  const truncated = more || items.length < rows.length;
  return {
    items,
    truncated,
    next_offset: truncated && items.length > 0 ? limits.offset + items.length : null,
  };
}

/** The first items whose JSON fits into `maxChars`; at least one. */
export function fitting<T>(items: readonly T[], maxChars: number): T[] {
  let left = maxChars;
  const kept: T[] = [];
  for (const item of items) {
    left -= sizeOf(item) + 1;
    if (left < 0 && kept.length > 0) break;
    kept.push(item);
  }
  return kept;
}

/**
 * The `index` field of a response.
 *
 * @param isEmpty whether the response has no result: what is missing may be in the files that the index lacks, so these are named
 */
export function indexNote(
  context: ToolContext,
  repo: Repository,
  { commit, indexed_at, left_out }: Freshness,
  isEmpty: boolean,
) {
  const { state } = context.index.state(repo);
  const { files, examples } = left_out;
  return {
    state: state === "ready" ? ("current" as const) : ("updating" as const),
    commit,
    indexed_at,
    ...(files > 0 ? { left_out: { files, ...(isEmpty ? { examples } : {}) } } : {}),
  };
}
