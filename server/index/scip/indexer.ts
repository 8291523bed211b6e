/** What an indexer is asked to do. Paths are absolute, except those of `files` and `changed`, which are relative to the root. */
export interface IndexerRun {
  /** The work tree. */
  root: string;
  /** Name of the repository. */
  name: string;
  /** The files of the repository. */
  files: readonly string[];
  /** Sources that changed since the last index; undefined to index all. */
  changed: readonly string[] | undefined;
  /** The SCIP file to write. */
  output: string;
  /** An empty folder of its own. */
  work: string;
}

/** A program for Node that writes a SCIP index of one language. It must read the repository as data, and never run any of it. */
export interface Indexer {
  /** As its indexes name it. */
  readonly tool: string;
  /** The files that it reads. */
  readonly sources: RegExp;
  /** True if it can index only the files that a change affects. */
  readonly isIncremental: boolean;
  /** A change of these needs a complete index. */
  readonly configuration: RegExp;
  /** Prepares a run. @returns the arguments for Node @throws if the program is not installed */
  prepare(run: IndexerRun): Promise<string[]>;
}
