import type { IndexJob } from "../job.ts";
import type { Role } from "../occurrences.ts";

export interface Reference {
  path: string;
  line: number;
  column: number;
  role: Role;
  /** The line, without its indentation. */
  text: string;
  /** The innermost enclosing definition as a name path; "" at the top level. */
  within: string;
}

export interface ReferencesJob extends IndexJob {
  /** The last part of the name path, its sigil included. */
  name: string;
  /** The qualifiers before it. The definitions that they fit best count. */
  parents: readonly string[];
  path: string;
  /** The file with the definition, if there are several. */
  defined_in: string | undefined;
  /** The line of the definition in that file, 1-based, if the file has several. */
  line?: number | undefined;
  include_definitions: boolean;
  /** The references that are needed. The lines of others are not read. Default: all. */
  page?: { offset: number; count: number };
}

/** A use in a file, without its surroundings. Line and column are 1-based. */
export interface FoundUse {
  line: number;
  column: number;
  role: Role;
  isDefinition: boolean;
}

/** Where an answer comes from: a compiler's index, or names and scopes. `mixed`: some files changed since they were indexed. */
export const PRECISIONS = ["precise", "mixed", "lexical"] as const;
export type Precision = (typeof PRECISIONS)[number];
