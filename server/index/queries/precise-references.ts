import { familyOf } from "../languages.ts";
import { bareName, fitOf } from "../names.ts";
import type { Place } from "../scip/occurrence-list.ts";
import type { PreciseDocument, PreciseIndex, PreciseSymbol, SymbolUses } from "../scip/precise-index.ts";
import { descriptorsOf } from "../scip/symbol-name.ts";
import type { ReferencesJob } from "./reference-rows.ts";

/** The symbols that a question means, and what the precise indexes know about their uses. */
export interface PreciseUses {
  /** The uses in files that the indexes describe as they are now. */
  files: ReadonlyMap<string, PreciseFile>;
  /** True for a file that the indexes describe as it is now: it has no other uses. @param file `files.id` of the lexical index */
  describes(file: number): boolean;
  /** True for a file in another language, whose code cannot name the symbol. */
  isForeign(path: string): boolean;
  /** Files with a definition. */
  homes: readonly string[];
}

/** The uses in a document, by line and column. Lines and columns are 0-based; columns are in the document's unit. */
export interface PreciseFile {
  unit: PreciseDocument["unit"];
  places: readonly Place[];
}

/** @returns undefined if the precise indexes do not know the name */
export function preciseUses(
  index: PreciseIndex,
  { path: scope, ...asked }: Asked & Pick<ReferencesJob, "path">,
): PreciseUses | undefined {
  const targets = targetsOf(index, asked);
  if (targets.length === 0) return undefined;
  const own = targets.map(({ id }) => id);
  const ids = new Set([...own, ...index.relatedTo(own), ...index.constructorsOf(targets)]);
  const isInScope = ({ path }: PreciseDocument) =>
    scope === "" || path === scope || path.startsWith(`${scope}/`);
  const uses = index.usesOf([...ids]).filter(({ document }) => document.isCurrent && isInScope(document));
  const homes = [...new Set(targets.flatMap((target) => target.homes))];
  const families = new Set(homes.map(familyOf));
  return {
    files: filesOf(uses),
    describes: (file) => index.covers(file),
    isForeign: (path) => !families.has(familyOf(path)),
    homes,
  };
}

/** Two indexers may describe the same file. Then the later document counts. */
function filesOf(uses: readonly SymbolUses[]): Map<string, PreciseFile> {
  const documents = new Map<string, PreciseDocument>();
  for (const { document } of uses) {
    const known = documents.get(document.path);
    if (!known || known.id < document.id) documents.set(document.path, document);
  }
  const places = new Map<string, Place[]>();
  for (const use of uses) {
    const { path, id } = use.document;
    if (documents.get(path)?.id !== id) continue;
    const known = places.get(path);
    if (known) known.push(...use.places());
    else places.set(path, use.places());
  }
  const files = new Map<string, PreciseFile>();
  for (const [path, found] of places)
    files.set(path, { unit: documents.get(path)?.unit ?? "utf16", places: distinct(found) });
  return files;
}

type Asked = Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">;
type Target = PreciseSymbol & { homes: string[] };

/** The symbols of that name on that line, else those whose surroundings fit the qualifiers best. */
function targetsOf(index: PreciseIndex, { name, parents, defined_in, line }: Asked): Target[] {
  const bare = bareName(name);
  const inHome = index.symbolsNamed(bare).flatMap((symbol) => {
    const homes = symbol.homes.filter((path) => defined_in === undefined || path === defined_in);
    return homes.length === 0
      ? []
      : [{ ...symbol, homes, ...fitsOf(symbol.symbol, { name, parents, homes }) }];
  });
  const best = (targets: typeof inHome) => {
    const most = Math.max(0, ...targets.map(({ fit }) => fit));
    return targets.filter(({ fit }) => fit === most);
  };
  const document = defined_in === undefined || line === undefined ? undefined : index.document(defined_in);
  if (document?.isCurrent) {
    const onLine = new Set(
      index.occurrences(document).flatMap((o) => (o.isDefinition && o.line + 1 === line ? [o.symbol] : [])),
    );
    const there = inHome.filter(({ id }) => onLine.has(id));
    if (there.length > 0) return best(there);
  }
  const spelled = name === bare ? [] : inHome.filter(({ isSpelled }) => isSpelled);
  return best(spelled.length > 0 ? spelled : inHome);
}

/** How well a symbol fits the question, by its descriptors. */
function fitsOf(
  symbol: string,
  { name, parents, homes }: Pick<Asked, "name" | "parents"> & { homes: readonly string[] },
): { fit: number; isSpelled: boolean } {
  // Most questions are only a name, which fits each symbol with it. To read descriptors takes long for hundreds of symbols.
  if (parents.length === 0 && name === bareName(name)) return { fit: 0, isSpelled: true };
  const descriptors = descriptorsOf(symbol);
  const place = { package: "", parent: descriptors.slice(0, -1).join("/") };
  const fit = Math.max(0, ...homes.map((path) => fitOf(parents, { ...place, path })));
  return { fit, isSpelled: descriptors.at(-1) === name };
}

/** Each place once, by line and column. A shorthand property is a definition and a use at once. */
function distinct(places: readonly Place[]): Place[] {
  const sorted = places.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const found: Place[] = [];
  for (const place of sorted) {
    const last = found.at(-1);
    if (last?.line !== place.line || last.column !== place.column) found.push(place);
    else if (last.isDefinition) found[found.length - 1] = place;
  }
  return found;
}
