import { buildIndex } from "./build.ts";
import { closeOthers } from "./job.ts";
import { calls } from "./queries/calls.ts";
import { definition } from "./queries/definition.ts";
import { explore } from "./queries/explore.ts";
import { findSymbol } from "./queries/find-symbol.ts";
import { overview } from "./queries/overview.ts";
import { references } from "./queries/references.ts";
import { repoMap } from "./queries/repo-map.ts";
import { search } from "./queries/search.ts";
import { importScip } from "./scip/import.ts";
import { semantic } from "./semantic/query.ts";
import { vectorsMissing, vectorsStore } from "./semantic/vectors.ts";
import { structural } from "./structural.ts";
import { searchText, tooLargeTexts } from "./text/search.ts";

/** The jobs of the threads, by name. Arguments and results are copied between threads, so they are plain data. */
export const JOBS = {
  findSymbol,
  overview,
  references,
  definition,
  calls,
  explore,
  repoMap,
  search,
  structural,
  searchText,
  tooLargeTexts,
  closeOthers,
  buildIndex,
  importScip,
  semantic,
  vectorsMissing,
  vectorsStore,
};
export type Jobs = typeof JOBS;
export type JobName = keyof Jobs;
export type JobArgs<N extends JobName> = Parameters<Jobs[N]>[0];
export type JobResult<N extends JobName> = Awaited<ReturnType<Jobs[N]>>;
