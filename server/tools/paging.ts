import { sizeOf } from "../answer-size.ts";
import type { Freshness } from "../index/job.ts";
import type { Repository } from "../workspace/workspace.ts";
import type { ToolContext } from "./tool.ts";

/** One page of results that are all known. */
export interface Page<T> {
  items: T[];
  truncated: boolean;
  next_offset: number | null;
}

/**
 * The results from `offset` on, as many as both limits let in; at least one, so that paging always comes to an end.
 *
 * @param maxChars of the results' JSON, see sizeOf
 * @param more there are results beyond those given
 */
export function page<T>(
  all: readonly T[],
  offset: number,
  max: number,
  maxChars: number,
  more = false,
): Page<T> {
  const items = fitting(all.slice(offset, offset + max), maxChars);
  const end = offset + items.length;
  const truncated = end < all.length || more;
  return { items, truncated, next_offset: end < all.length || (more && items.length > 0) ? end : null };
}

/** As many of the first items as their JSON fits into `maxChars`; at least one. */
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

/** What an answer says of the index that it came from. */
export function indexNote(
  context: ToolContext,
  repo: Repository,
  { commit, indexed_at, left_out }: Freshness,
) {
  const { state } = context.index.state(repo);
  return {
    state: state === "ready" ? ("current" as const) : ("updating" as const),
    commit,
    indexed_at,
    ...(left_out.files > 0 ? { left_out } : {}),
  };
}
