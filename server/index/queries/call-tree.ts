import { type Call, type CallGraph, keyOf } from "./call-graph.ts";
import type { FoundSymbol } from "./symbol-rows.ts";

export const DIRECTIONS = ["callers", "callees"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** A call in a tree of calls, in the order in which people read it: below each symbol those that call it, or that it calls. */
export interface CallEntry extends Call {
  /** 1 for the direct ones. */
  level: number;
}

export interface CallTree {
  entries: CallEntry[];
  /** Number of calls that were found and do not fit. */
  beyond: number;
  /** True if the time was up before all were found. */
  partial: boolean;
}

interface Branch {
  call: Call;
  level: number;
  below: Branch[];
}

/** Most symbols whose calls are looked up. */
const MAX_LOOKUPS = 60;
/** A name of an indirect caller that more files have is too common to follow without a precise index. */
const MAX_FILES_FAR = 40;

/**
 * The calls from or to some symbols, level by level, so that a limit cuts off the deepest. Each symbol is listed once, at its least level.
 *
 * @param depth number of levels @param max number of entries
 */
export async function callTree(
  graph: CallGraph,
  roots: readonly FoundSymbol[],
  { direction, depth, max }: { direction: Direction; depth: number; max: number },
  timeUp: () => boolean,
): Promise<CallTree> {
  const seen = new Set(roots.map(keyOf));
  const top: Branch[] = [];
  let level: { symbol: FoundSymbol; into: Branch[] }[] = roots.map((symbol) => ({ symbol, into: top }));
  let found = 0;
  let left = 0;
  let lookups = 0;
  let partial = false;
  for (let n = 1; n <= depth && level.length > 0; n++) {
    const next: typeof level = [];
    for (const { symbol, into } of level) {
      if (timeUp() || lookups >= MAX_LOOKUPS) {
        partial = true;
        break;
      }
      lookups++;
      const calls =
        direction === "callees"
          ? await graph.callees(symbol)
          : await graph.callers(symbol, n === 1 ? undefined : MAX_FILES_FAR);
      for (const call of calls) {
        if (seen.has(keyOf(call.symbol))) continue;
        seen.add(keyOf(call.symbol));
        if (found >= max) {
          left++;
          continue;
        }
        found++;
        const branch: Branch = { call, level: n, below: [] };
        into.push(branch);
        // Code outside of definitions has no callers.
        if (call.symbol.signature !== "" || call.symbol.kind !== "module")
          next.push({ symbol: call.symbol, into: branch.below });
      }
    }
    level = next;
  }
  return { entries: top.flatMap(flatten), beyond: left, partial };
}

function flatten({ call, level, below }: Branch): CallEntry[] {
  return [{ ...call, level }, ...below.flatMap(flatten)];
}
