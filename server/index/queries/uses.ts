import type { DatabaseSync } from "node:sqlite";
import { encodeWord } from "../database.ts";
import { BELOW, SECONDARY } from "../job.ts";
import { linesAt } from "../lines-at.ts";
import { bareName } from "../names.ts";
import { type Role, wordPlaces } from "../occurrences.ts";
import { prepared } from "../prepared.ts";
import { TreeReader } from "../work-tree.ts";
import { bestFitting } from "./best-fit.ts";
import { definitionsOf } from "./find-symbol.ts";
import { lexicalUses } from "./lexical-references.ts";
import { folderOf } from "./paths.ts";
import type { PrecisePlace, PreciseUses } from "./precise-references.ts";
import type { FoundUse, ReferencesJob } from "./reference-rows.ts";

/** The uses in a file. */
export interface FileUses {
  text: string;
  uses: FoundUse[];
  isPrecise: boolean;
}

export interface UseSearch {
  /** The files that may have uses: that of the definition, files in its folder, other files, tests. */
  paths: readonly string[];
  /** Files with a definition. */
  homes: readonly string[];
  /** @returns undefined if the file cannot be read */
  usesIn(path: string): Promise<FileUses | undefined>;
  /** The uses in a file that a precise index describes, without reading it; undefined for another file. */
  placesIn(path: string): PrecisePlace[] | undefined;
  /** Those uses with their roles. @returns undefined if the file cannot be read */
  completed(path: string, places: readonly PrecisePlace[]): Promise<FileUses | undefined>;
}

/** Finds the uses of a symbol file by file: by the precise index where it describes a file, else by names and scopes. */
export function searchUses(
  job: Omit<ReferencesJob, "include_definitions">,
  db: DatabaseSync,
  precise: PreciseUses | undefined,
): UseSearch {
  const reader = new TreeReader(job.root);
  const definitions = definitionsOf(db, job.name);
  const homes =
    precise?.homes ??
    (job.defined_in === undefined
      ? bestFitting(definitions, job.parents).map(({ path }) => path)
      : [job.defined_in]);
  const described = new Set(precise?.paths);
  const unknown = filesWith(db, job.name, job.path).filter(
    (path) => !described.has(path) && !precise?.covers(path),
  );
  const { defined_in, line } = job;
  const home = defined_in === undefined || line === undefined ? undefined : reader.readSync(defined_in);
  const lineText = linesAt(home ?? "", [line ?? 0]).get(line ?? 0) ?? "";
  const lexical = lexicalUses(db, job, definitions, wordPlaces(lineText, bareName(job.name)).length > 0);
  const placesIn = (path: string) => (described.has(path) ? precise?.placesIn(path) : undefined);
  const completed = async (path: string, places: readonly PrecisePlace[]) => {
    const text = reader.readSync(path);
    const uses = text === undefined ? undefined : await precise?.withRoles(path, places, text);
    return text === undefined || !uses ? undefined : { text, uses, isPrecise: true };
  };
  return {
    paths: nearestFirst([...described, ...unknown], homes),
    homes,
    async usesIn(path) {
      const places = placesIn(path);
      if (places) return completed(path, places);
      const text = reader.readSync(path);
      return text === undefined ? undefined : { text, uses: await lexical(path, text), isPrecise: false };
    },
    placesIn,
    completed,
  };
}

/** The files with every identifier of a name (`Get-Item` has two), by path. */
export function filesWith(db: DatabaseSync, name: string, path: string): string[] {
  const bare = bareName(name);
  const identifiers = (/^operator(?![\p{L}\p{N}_])/u.test(bare) ? "operator" : bare).match(
    /[\p{L}_][\p{L}\p{N}_$]*/gu,
  );
  if (!identifiers) return [];
  const word = identifiers
    .map(encodeWord)
    .map((w) => `("${w}" OR "$${w}")`)
    .join(" AND ");
  const sql = `SELECT files.path FROM words JOIN files ON files.id = words.rowid WHERE words MATCH :word AND ${BELOW} ORDER BY files.path`;
  return prepared(db, sql)
    .all({ word, path })
    .map((row) => String(row.path));
}

function nearestFirst(paths: readonly string[], homes: readonly string[]): string[] {
  return paths
    .map((path) => ({ path, weight: nearness(path, homes, []) }))
    .sort((a, b) => a.weight - b.weight)
    .map((p) => p.path);
}

/** Where the references in a file come in an answer: the lowest first. */
export function nearness(path: string, homes: readonly string[], places: readonly { role: Role }[]): number {
  if (homes.includes(path)) return 0;
  const late = SECONDARY.test(path) ? 4 : 0;
  if (places.some((p) => p.role === "import")) return 1 + late;
  return (homes.some((home) => folderOf(home) === folderOf(path)) ? 2 : 3) + late;
}
