import { type Freshness, type JobContext, reading } from "../job.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import { definitionsMeant } from "./best-fit.ts";
import { CallGraph } from "./call-graph.ts";
import { type CallEntry, callTree, type Direction } from "./call-tree.ts";
import type { Precision, ReferencesJob } from "./reference-rows.ts";
import type { FoundSymbol } from "./symbol-rows.ts";

export interface CallsJob extends Omit<ReferencesJob, "path" | "include_definitions"> {
  direction: Direction;
  /** Number of levels. */
  depth: number;
}

export interface Calls {
  /** The definitions that the name means. */
  symbols: FoundSymbol[];
  calls: CallEntry[];
  /** Calls beyond the limit. */
  beyond: number;
  /** True if not all calls were looked up. */
  partial: boolean;
  precision: Precision;
}

/** Definitions of a name whose calls are looked up. */
const MAX_SYMBOLS = 5;
const MAX_CALLS = 1_000;

/** Finds the callers or callees of a symbol, and theirs. */
export function calls(job: CallsJob, context: JobContext): Promise<Calls & Freshness> {
  return reading(job, async (db, { commit }) => {
    const symbols = definitionsMeant(db, job);
    const find = async (index: PreciseIndex | undefined) => {
      const graph = new CallGraph(db, job, index, context);
      const limits = { direction: job.direction, depth: job.depth, max: MAX_CALLS };
      const tree = await callTree(graph, symbols.slice(0, MAX_SYMBOLS), limits, context.timeUp);
      return { ...tree, precision: graph.precision };
    };
    const place = { database: job.database, lexical: db, commit };
    const { entries, ...rest } = (await PreciseIndex.reading(place, find)) ?? (await find(undefined));
    return { symbols: [...symbols], calls: entries, ...rest };
  });
}
