import type { CollectorLimits } from "../../index/text/line-collector.ts";
import type { TextFound } from "../../index/text/search.ts";
import { sharedListing } from "../../index/text/shared-listing.ts";
import type { ToolContext } from "../tool.ts";
import { COUNT_OPTIONS, FileCounts } from "./file-counts.ts";
import { patternsOf } from "./patterns.ts";
import { MatchCollector, type Part } from "./ripgrep-json.ts";
import { type Run, runInFiles, runSearch, type Search, type Sink } from "./run.ts";

export interface Found {
  readonly timedOut: boolean;
  /** What the index found; undefined if ripgrep alone searched. */
  readonly known: TextFound | undefined;
}

/** What the index knows of a search. @returns undefined without an index, or if it cannot narrow the search enough */
async function searchIndex(
  { workspace, index, signal }: ToolContext,
  search: Search,
  limits?: CollectorLimits,
): Promise<TextFound | undefined> {
  const { repo, folder, globs } = search;
  const args = { ...patternsOf(search.query, search.regex), case: search.case, globs, folder, limits };
  const listing = async () => sharedListing(await workspace.files(repo));
  return index.searchText(repo, args, listing, { signal });
}

/** Searches by the index, else with ripgrep. Both give the same matches. */
export async function findMatches(
  context: ToolContext,
  search: Search,
  limits: CollectorLimits,
  until: number,
): Promise<Found & { parts: Part[] }> {
  const options = ["--json", `--max-count=${limits.max + 1}`, `--context=${limits.context}`];
  const makeSink = () => new MatchCollector(limits);
  const known = await searchIndex(context, search, limits);
  const find = (sorted: boolean) => runOver(context, search, known, { options, sorted, until }, makeSink);
  // Sorting limits ripgrep to one thread, so the first run is unsorted. Only if it is truncated must the first matches be found.
  let run = await find(false);
  if (run.sinks.some((sink) => sink.truncated)) run = await find(true);
  const parts: Part[] = run.sinks.map((sink) => ({ matches: sink.finish(), truncated: sink.truncated }));
  if (known) parts.push(known);
  return { parts, timedOut: run.timedOut, known };
}

/** Counts the matching lines of each file with a match. */
export async function countMatches(
  context: ToolContext,
  search: Search,
  until: number,
): Promise<Found & { files: { path: string; matches: number }[] }> {
  const known = await searchIndex(context, search);
  const run = { options: COUNT_OPTIONS, sorted: false, until };
  const { sinks, timedOut } = await runOver(context, search, known, run, () => new FileCounts());
  const files = [...(known?.counts ?? []), ...sinks.flatMap((sink) => sink.files)];
  return { files, timedOut, known };
}

/** Runs ripgrep over what the index left to it, or over all files. */
async function runOver<S extends Sink>(
  context: ToolContext,
  search: Search,
  known: TextFound | undefined,
  run: Run,
  makeSink: () => S,
): Promise<{ sinks: S[]; timedOut: boolean }> {
  if (!known) return runSearch(context, search, run, makeSink);
  if (known.rest.length === 0) return { sinks: [], timedOut: false };
  return runInFiles(context, search, new Set(known.rest), run, makeSink);
}
