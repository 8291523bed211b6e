import { familyOf, languageOf } from "../languages.ts";
import { linesAt } from "../lines-at.ts";
import { bareName, fitOf } from "../names.ts";
import { rolesOf } from "../occurrences.ts";
import {
  type PreciseDocument,
  type PreciseIndex,
  type PreciseSymbol,
  toUtf16,
} from "../scip/precise-index.ts";
import { descriptorsOf } from "../scip/symbol-name.ts";
import type { FoundUse, ReferencesJob } from "./reference-rows.ts";

/** The symbols that a question means, and what the precise indexes know about their uses. */
export interface PreciseUses {
  /** Files with uses that the indexes describe as they are now. */
  paths: readonly string[];
  /** True for a file that the indexes describe as it is now: it has no other uses. */
  covers(path: string): boolean;
  /** Files of the indexes that have changed since, among those with uses. */
  changed: readonly string[];
  /** Files with a definition. */
  homes: readonly string[];
  /** The uses in a file, without their roles. It reads no file. */
  placesIn(path: string): PrecisePlace[];
  /** The same uses, of the file's text. */
  withRoles(path: string, places: readonly PrecisePlace[], text: string): Promise<FoundUse[]>;
}

/** A use in a document. Line and column are 0-based; the column is in the document's unit. */
export interface PrecisePlace {
  line: number;
  column: number;
  isDefinition: boolean;
}

/** @returns undefined if the precise indexes do not know the name */
export function preciseUses(
  index: PreciseIndex,
  { path: scope, ...asked }: Asked & Pick<ReferencesJob, "path">,
): PreciseUses | undefined {
  const targets = targetsOf(index, asked);
  if (targets.length === 0) return undefined;
  const ids = new Set(
    targets.flatMap(({ symbol }) => [
      symbol.id,
      ...index.relatedTo(symbol.id),
      ...index.constructorsOf(symbol),
    ]),
  );
  const documents = new Map<string, PreciseDocument>();
  const changed = new Set<string>();
  for (const id of ids)
    for (const document of index.documentsWith(id)) {
      if (scope !== "" && document.path !== scope && !document.path.startsWith(`${scope}/`)) continue;
      if (document.isCurrent) documents.set(document.path, document);
      else changed.add(document.path);
    }
  const homes = [...new Set(targets.flatMap((target) => target.homes))];
  const families = new Set(homes.map(familyOf));
  return {
    paths: [...documents.keys()],
    covers: (path) => !families.has(familyOf(path)) || index.document(path)?.isCurrent === true,
    changed: [...changed].filter((path) => !documents.has(path)),
    homes,
    placesIn: (path) => placesIn(index, documents.get(path), ids),
    withRoles: (path, places, text) => withRoles(path, documents.get(path)?.unit ?? "utf16", places, text),
  };
}

type Asked = Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">;

/** The symbols of that name on that line, else those whose surroundings fit the qualifiers best. */
function targetsOf(
  index: PreciseIndex,
  { name, parents, defined_in, line }: Asked,
): { symbol: PreciseSymbol; homes: string[] }[] {
  const bare = bareName(name);
  const all = index.symbolsNamed(bare).map((symbol) => {
    const descriptors = descriptorsOf(symbol.symbol);
    const paths = index.documentsWith(symbol.id, "definitions").map(({ path }) => path);
    const homes = defined_in === undefined ? paths : paths.filter((path) => path === defined_in);
    const place = { package: "", parent: descriptors.slice(0, -1).join("/") };
    const fit = Math.max(0, ...homes.map((path) => fitOf(parents, { ...place, path })));
    return { symbol, homes, fit, isSpelled: descriptors.at(-1) === name };
  });
  const inHome = all.filter(({ homes }) => homes.length > 0);
  const document = defined_in === undefined || line === undefined ? undefined : index.document(defined_in);
  if (document?.isCurrent) {
    const onLine = new Set(
      index.occurrences(document).flatMap((o) => (o.isDefinition && o.line + 1 === line ? [o.symbol] : [])),
    );
    const there = inHome.filter(({ symbol }) => onLine.has(symbol.id));
    const most = Math.max(0, ...there.map(({ fit }) => fit));
    if (there.length > 0) return there.filter(({ fit }) => fit === most);
  }
  const spelled = name === bare ? [] : inHome.filter(({ isSpelled }) => isSpelled);
  const named = spelled.length > 0 ? spelled : inHome;
  const best = Math.max(0, ...named.map(({ fit }) => fit));
  return named.filter(({ fit }) => fit === best);
}

function placesIn(
  index: PreciseIndex,
  document: PreciseDocument | undefined,
  ids: ReadonlySet<number>,
): PrecisePlace[] {
  if (!document) return [];
  const places = new Map<string, PrecisePlace>();
  for (const { line, column, isDefinition } of index.occurrences(document, ids)) {
    // A shorthand property is a definition and a use at once.
    const key = `${line}:${column}`;
    const isOnlyDefined = isDefinition && places.get(key)?.isDefinition !== false;
    places.set(key, { line, column, isDefinition: isOnlyDefined });
  }
  return [...places.values()];
}

async function withRoles(
  path: string,
  unit: PreciseDocument["unit"],
  places: readonly PrecisePlace[],
  text: string,
): Promise<FoundUse[]> {
  const lines =
    unit === "utf16"
      ? undefined
      : linesAt(
          text,
          places.map(({ line }) => line + 1),
        );
  const found = places.map(({ line, column, isDefinition }) => ({
    line: line + 1,
    column: toUtf16(lines?.get(line + 1) ?? "", column, unit) + 1,
    isDefinition,
  }));
  const roles = await rolesOf(text, languageOf(path), found);
  return found.map((place, n) => ({
    ...place,
    role: place.isDefinition ? "definition" : (roles[n] ?? "use"),
  }));
}
