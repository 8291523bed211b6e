import { callHierarchy } from "./call-hierarchy.ts";
import { explore } from "./explore.ts";
import { fetchDocument } from "./fetch.ts";
import { findFiles } from "./find-files.ts";
import { findReferences } from "./find-references.ts";
import { findSymbol } from "./find-symbol.ts";
import { gitBlame } from "./git-blame.ts";
import { gitDiff } from "./git-diff.ts";
import { gitLog } from "./git-log.ts";
import { goToDefinition } from "./go-to-definition.ts";
import { listFiles } from "./list-files.ts";
import { listRepos } from "./list-repos.ts";
import { readFile } from "./read-file.ts";
import { repoMap } from "./repo-map.ts";
import { search } from "./search.ts";
import { searchSemantic } from "./search-semantic.ts";
import { searchStructural } from "./search-structural.ts";
import { searchText } from "./search-text.ts";
import { symbolsOverview } from "./symbols-overview.ts";
import type { Tool } from "./tool.ts";

/** Every tool, in the order of tools/list. */
export const TOOLS: readonly Tool[] = [
  listRepos,
  explore,
  listFiles,
  findFiles,
  readFile,
  searchText,
  searchStructural,
  searchSemantic,
  symbolsOverview,
  findSymbol,
  findReferences,
  goToDefinition,
  callHierarchy,
  repoMap,
  gitLog,
  gitDiff,
  gitBlame,
  search,
  fetchDocument,
];
