import type { DatabaseSync } from "node:sqlite";
import { encodeWord } from "../database.ts";
import { BELOW, SECONDARY } from "../job.ts";
import { linesAt } from "../lines-at.ts";
import { bareName } from "../names.ts";
import type { Role } from "../occurrences.ts";
import { prepared } from "../prepared.ts";
import type { Place } from "../scip/occurrence-list.ts";
import { TreeReader } from "../work-tree.ts";
import { bestFitting } from "./best-fit.ts";
import { definitionsOf } from "./find-symbol.ts";
import { lexicalUses } from "./lexical-references.ts";
import { folderOf } from "./paths.ts";
import type { PreciseUses } from "./precise-references.ts";
import type { ReferencesJob } from "./reference-rows.ts";
import { type ShownUse, shownLine, shownPlaces } from "./shown-places.ts";

/** The uses in a file. */
export interface FileUses {
  uses: ShownUse[];
  isPrecise: boolean;
}

export interface UseSearch {
  /** The files that may have uses: that of the definition, files in its folder, other files, tests. */
  paths: readonly string[];
  /** @returns undefined if the file cannot be read */
  usesIn(path: string): Promise<FileUses | undefined>;
  /** The uses in a file that a precise index describes, without reading it; undefined for another file. */
  placesIn(path: string): readonly Place[] | undefined;
  /** Some of those uses with their roles and lines. @returns undefined if the file cannot be read */
  shown(path: string, places: readonly Place[]): Promise<ShownUse[] | undefined>;
  /** See nearnessTo. */
  nearness(path: string, places: readonly { role: Role }[]): number;
}

/** Finds the uses of a symbol file by file: by the precise index where it describes a file, else by names and scopes. */
export function searchUses(
  job: Omit<ReferencesJob, "include_definitions">,
  db: DatabaseSync,
  precise: PreciseUses | undefined,
): UseSearch {
  const reader = new TreeReader(job.root);
  const files: PreciseUses["files"] = precise?.files ?? new Map();
  const unknown = filesWith(db, job, precise);
  const nearness = nearnessTo(precise?.homes ?? homesOf(db, job));
  let find: ReturnType<typeof lexicalIn> | undefined;
  const shown: UseSearch["shown"] = (path, places) =>
    shownPlaces(reader, path, { unit: files.get(path)?.unit ?? "utf16", places });
  return {
    paths: nearestFirst([...files.keys(), ...unknown], nearness),
    async usesIn(path) {
      const places = files.get(path)?.places;
      // Most precise answers need no lexical search.
      if (!places) find ??= lexicalIn(db, job, reader);
      const uses = places ? await shown(path, places) : await find?.(path);
      return uses && { uses, isPrecise: places !== undefined };
    },
    placesIn: (path) => files.get(path)?.places,
    shown,
    nearness,
  };
}

function homesOf(
  db: DatabaseSync,
  { name, parents, defined_in }: Omit<ReferencesJob, "include_definitions">,
) {
  if (defined_in !== undefined) return [defined_in];
  return bestFitting(definitionsOf(db, name), parents).map(({ path }) => path);
}

/** The uses in a file by names and scopes. */
function lexicalIn(db: DatabaseSync, job: Omit<ReferencesJob, "include_definitions">, reader: TreeReader) {
  const { defined_in, line } = job;
  const home = defined_in === undefined || line === undefined ? undefined : reader.readSync(defined_in);
  const find = lexicalUses(db, job, definitionsOf(db, job.name), home);
  return async (path: string): Promise<ShownUse[] | undefined> => {
    const text = reader.readSync(path);
    if (text === undefined) return undefined;
    const uses = await find(path, text);
    const lines = linesAt(
      text,
      uses.map((use) => use.line),
    );
    return uses.map((use) => ({ ...use, text: shownLine(lines.get(use.line) ?? "") }));
  };
}

/** The files with every identifier of a name (`Get-Item` has two), by path, without those that a precise index covers. */
export function filesWith(
  db: DatabaseSync,
  { name, path }: Pick<ReferencesJob, "name" | "path">,
  precise?: PreciseUses,
): string[] {
  const bare = bareName(name);
  const identifiers = (/^operator(?![\p{L}\p{N}_])/u.test(bare) ? "operator" : bare).match(
    /[\p{L}_][\p{L}\p{N}_$]*/gu,
  );
  if (!identifiers) return [];
  const word = identifiers
    .map(encodeWord)
    .map((w) => `("${w}" OR "$${w}")`)
    .join(" AND ");
  const ids = prepared(db, "SELECT rowid AS id FROM words WHERE words MATCH ?").all(word);
  const rest = ids.map(({ id }) => Number(id)).filter((id) => !precise?.describes(id));
  const sql = `SELECT files.path FROM json_each(:ids) AS wanted CROSS JOIN files ON files.id = wanted.value WHERE ${BELOW} ORDER BY files.path`;
  return prepared(db, sql)
    .all({ ids: JSON.stringify(rest), path })
    .map((row) => String(row.path))
    .filter((found) => !precise?.isForeign(found));
}

type Nearness = UseSearch["nearness"];

function nearestFirst(paths: readonly string[], nearness: Nearness): string[] {
  return paths
    .map((path) => ({ path, weight: nearness(path, []) }))
    .sort((a, b) => a.weight - b.weight)
    .map((p) => p.path);
}

/** Where the references in a file come in an answer: the lowest first. @param homes files with a definition */
function nearnessTo(homes: readonly string[]): Nearness {
  const files = new Set(homes);
  const folders = new Set(homes.map(folderOf));
  return (path, places) => {
    if (files.has(path)) return 0;
    const late = SECONDARY.test(path) ? 4 : 0;
    if (places.some((p) => p.role === "import")) return 1 + late;
    return (folders.has(folderOf(path)) ? 2 : 3) + late;
  };
}
