import type { DatabaseSync } from "node:sqlite";
import { sizeOf, sizeOfText } from "../../answer-size.ts";
import { type Freshness, type IndexJob, type JobContext, reading } from "../job.ts";
import { familyOf } from "../languages.ts";
import { PreciseIndex } from "../scip/precise-index.ts";
import { CallGraph, fileSymbol } from "./call-graph.ts";
import { type CallEntry, callTree } from "./call-tree.ts";
import { type Candidates, candidatesFor } from "./explore-candidates.ts";
import type { Precision } from "./reference-rows.ts";
import type { FoundSymbol } from "./symbol-rows.ts";
import { sourceOf } from "./symbol-source.ts";

export interface ExploreJob extends IndexJob {
  /** A name, several names, or a question. */
  query: string;
  path: string;
  /** Number of levels of callers and callees. */
  depth: number;
  /** Largest size of the result, characters (answer-size.ts). */
  budget: number;
}

export const RELATIONS = ["caller", "callee", "test"] as const;

export interface ExploredCall extends CallEntry {
  relation: (typeof RELATIONS)[number];
}

export interface Explored {
  /** With their source, or the outline of a long one. */
  definitions: (FoundSymbol & { body?: string })[];
  calls: ExploredCall[];
  /** Other definitions that may be meant. */
  also: FoundSymbol[];
  /** What the budget left out. */
  cut: { definitions: number; calls: number };
  partial: boolean;
  precision: Precision;
}

/** Definitions whose source is shown: all that a question names, up to this number, else the best few. */
const MAX_DEFINITIONS = 12;
const MAX_GUESSED = 4;
/** Definitions whose calls are looked up. */
const MAX_ROOTS = 4;
const MAX_CALLS = 120;
const MAX_ALSO = 10;
/** Share of the budget for sources, and of one source. */
const SOURCES = 0.65;
const ONE_SOURCE = 0.4;
/** Paths of tests. */
const TEST =
  /(^|\/)(tests?|__tests__|specs?|testing)\/|[._-](test|spec)\.\w+$|_test\.\w+$|(^|\/)test_[^/]+$|Tests?\.\w+$/;

/** The definitions that a question is about, with their source, callers, callees and tests, within a budget. */
export function explore(job: ExploreJob, context: JobContext): Promise<Explored & Freshness> {
  return reading(
    job,
    async (db, { commit }) => {
      const candidates = await candidatesFor(db, job);
      const chosen = chosenOf(candidates);
      const find = async (index: PreciseIndex | undefined) => {
        const graph = new CallGraph(db, job, index, context);
        const roots = chosen.filter(({ path }) => familyOf(path)).slice(0, MAX_ROOTS);
        const found = await callsOf(graph, roots, job.depth, context);
        return { ...found, precision: graph.precision };
      };
      const place = { database: job.database, lexical: db, commit };
      const { calls, partial, precision } =
        (await PreciseIndex.reading(place, find)) ?? (await find(undefined));
      const definitions = await withSources(chosen, db, job);
      calls.push(...testsNamedFor(db, chosen, calls));
      const spent = definitions.shown.reduce((sum, definition) => sum + sizeOf(definition), 0);
      const fitting = fittingCalls(calls, job.budget - spent);
      return {
        definitions: definitions.shown,
        calls: fitting,
        also: candidates.symbols.slice(chosen.length, chosen.length + MAX_ALSO),
        cut: { definitions: definitions.left, calls: calls.length - fitting.length },
        partial,
        precision,
      };
    },
    job.path,
  );
}

function chosenOf({ symbols, named }: Candidates): FoundSymbol[] {
  return symbols.slice(0, named > 0 ? Math.min(named, MAX_DEFINITIONS) : MAX_GUESSED);
}

async function callsOf(
  graph: CallGraph,
  roots: readonly FoundSymbol[],
  depth: number,
  { timeUp }: JobContext,
): Promise<{ calls: ExploredCall[]; partial: boolean }> {
  const callees = await callTree(graph, roots, { direction: "callees", depth: 1, max: MAX_CALLS }, timeUp);
  const callers = await callTree(graph, roots, { direction: "callers", depth, max: MAX_CALLS }, timeUp);
  const isTested = roots.some(({ path }) => !TEST.test(path));
  const relationOf = ({ symbol }: CallEntry) => (isTested && TEST.test(symbol.path) ? "test" : "caller");
  const calls: ExploredCall[] = [
    ...callers.entries.map((entry) => ({ ...entry, relation: relationOf(entry) }) as const),
    ...callees.entries.map((entry) => ({ ...entry, relation: "callee" as const })),
  ];
  return { calls, partial: callers.partial || callees.partial };
}

/** The tests whose files are named for the file of a definition, beside those that use it. */
function testsNamedFor(
  db: DatabaseSync,
  chosen: readonly FoundSymbol[],
  calls: readonly ExploredCall[],
): ExploredCall[] {
  const stems = new Set(chosen.map(({ path }) => stemOf(path)).filter((stem) => stem.length > 2));
  const listed = new Set(calls.map(({ symbol }) => symbol.path));
  const found: ExploredCall[] = [];
  for (const stem of stems) {
    const rows = db
      .prepare("SELECT path FROM files WHERE instr(lower(path), ?) > 0 ORDER BY length(path) LIMIT 200")
      .all(stem);
    for (const { path } of rows) {
      const file = String(path);
      if (listed.has(file) || !TEST.test(file) || !familyOf(file) || stemOf(file) !== stem) continue;
      listed.add(file);
      const symbol = fileSymbol(file);
      found.push({ symbol, level: 1, lines: [], text: NAMED_FOR, isPrecise: false, relation: "test" });
    }
  }
  return found;
}

const NAMED_FOR = "named for the file";

/** The name of a file without its ending and the marks of tests. */
const stemOf = (path: string) =>
  path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/\.\w+$/, "")
    .replace(/[._-](?:test|spec)$|_test$|^test_|Tests?$/, "")
    .toLowerCase();

/** The calls that fit, nearest first: of each relation in turn, so that none uses up the budget of the others. */
function fittingCalls(calls: readonly ExploredCall[], budget: number): ExploredCall[] {
  const byRelation = RELATIONS.map((relation) =>
    calls.filter((call) => call.relation === relation).sort((a, b) => a.level - b.level),
  );
  const kept = new Set<ExploredCall>();
  let left = budget;
  for (let n = 0; byRelation.some((list) => n < list.length); n++)
    for (const call of byRelation.flatMap((list) => list[n] ?? [])) {
      left -= sizeOfText(call.text) + sizeOfText(call.symbol.path) + ENTRY_CHARS;
      if (left >= 0) kept.add(call);
    }
  return calls.filter((call) => kept.has(call));
}

/** The fields of an entry besides its text and path. */
const ENTRY_CHARS = 120;

async function withSources(
  chosen: readonly FoundSymbol[],
  db: DatabaseSync,
  { root, budget }: Pick<ExploreJob, "root" | "budget">,
): Promise<{ shown: Explored["definitions"]; left: number }> {
  let left = budget * SOURCES;
  const most = chosen.length === 1 ? left : budget * ONE_SOURCE;
  const shown: Explored["definitions"] = [];
  for (const symbol of chosen) {
    const head = sizeOf(symbol);
    if (shown.length > 0 && left < head) break;
    left -= head;
    const body = await sourceOf(db, root, symbol, Math.min(left, most));
    left -= body === undefined ? 0 : sizeOfText(body);
    shown.push(body === undefined ? symbol : { ...symbol, body });
  }
  return { shown, left: chosen.length - shown.length };
}
