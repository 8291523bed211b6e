import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { JobArgs, JobResult } from "../../server/index/jobs.ts";
import { type ScipDocument, type ScipOccurrence, scipParts } from "../../server/index/scip/format.ts";
import { descriptorsOf, isLocal } from "../../server/index/scip/symbol-name.ts";
import type { Figure } from "../figures.ts";

/** Size of the samples. They are the same in each run over the same tree. */
const SYMBOLS = 200;
const USES = 400;

interface Place {
  path: string;
  line: number;
  column: number;
}

export interface Truth {
  symbol: string;
  definition: Place;
  /** The names that stand for it. */
  uses: Place[];
  /** What a search for references should find. */
  references: Place[];
  /** Places that count neither as right nor as wrong: scip-python names an attribute that it does not know by the type of its object. */
  ignored: Place[];
  /** The files that the compiler knows. Go's does not read those in `_examples`. */
  described: ReadonlySet<string>;
}

export type Query = <N extends "references" | "definition">(
  name: N,
  job: Omit<JobArgs<N>, "database" | "root">,
) => Promise<JobResult<N>>;

/** Each symbol that is defined once, with its uses. */
export async function truthsOf(file: string): Promise<Truth[]> {
  const places = new Map<string, Known>();
  const described = new Set<string>();
  for await (const part of scipParts(createReadStream(file))) {
    if (!("document" in part)) continue;
    described.add(part.document.path);
    addPlaces(part.document, places);
  }
  return [...places].flatMap(([symbol, { definitions, uses, ignored }]) => {
    const [definition] = definitions;
    const isNamed = isLocal(symbol.slice(symbol.indexOf(" local ") + 1)) || IDENTIFIER.test(nameOf(symbol));
    return definition && definitions.length === 1 && isNamed
      ? [{ symbol, definition, uses, ignored, described, references: referencesTo(symbol, places) }]
      : [];
  });
}

/** What an index says about a symbol. */
interface Known {
  definitions: Place[];
  uses: Place[];
  ignored: Place[];
  related: string[];
}

/**
 * The references to a symbol: its uses, those of a class's constructor, and those of the symbols whose references SCIP counts as its own
 * (`Relationship.is_reference`: what implements it, or what it implements). The compiler's own search for references has them too.
 */
function referencesTo(symbol: string, places: ReadonlyMap<string, Known>): Place[] {
  const all = [symbol, `${symbol}\`<constructor>\`().`, ...(places.get(symbol)?.related ?? [])];
  const uses = all.flatMap((one) => places.get(one)?.uses ?? []);
  return [...new Map(uses.map((use) => [keyOf(use), use])).values()];
}

function addPlaces({ path, occurrences, relations }: ScipDocument, places: Map<string, Known>): void {
  const width = (o: ScipOccurrence) => (o.endLine === o.line ? o.endColumn - o.column : 0);
  const entry = (key: string) => {
    const known = places.get(key) ?? { definitions: [], uses: [], ignored: [], related: [] };
    places.set(key, known);
    return known;
  };
  for (const { from, to } of relations) {
    entry(from).related.push(to);
    entry(to).related.push(from);
  }
  for (const occurrence of occurrences) {
    const { symbol, line, column, isDefinition } = occurrence;
    // scip-typescript numbers the keys of objects: the symbol of "host" is "host0".
    if (!isLocal(symbol) && isDefinition && width(occurrence) !== nameOf(symbol).length) continue;
    const known = entry(isLocal(symbol) ? `${path} ${symbol}` : symbol);
    const isOther =
      symbol.startsWith("scip-python ") &&
      symbol.endsWith("#") &&
      width(occurrence) !== nameOf(symbol).length;
    const list = isDefinition ? known.definitions : isOther ? known.ignored : known.uses;
    list.push({ path, line: line + 1, column: column + 1 });
  }
}

/** The same part of a list in each run: those whose hash is smallest. */
function sample<T>(items: readonly T[], count: number, keyOf: (item: T) => string): T[] {
  const hash = (item: T) => createHash("sha256").update(keyOf(item)).digest("hex");
  return items
    .map((item) => ({ item, key: hash(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, count)
    .map(({ item }) => item);
}

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

const keyOf = ({ path, line, column }: Place) => `${path}:${line}:${column}`;

export async function references(query: Query, truths: readonly Truth[]): Promise<Figure[]> {
  const named = truths.filter(({ symbol, uses }) => uses.length > 0 && IDENTIFIER.test(nameOf(symbol)));
  const sums = { right: 0, answered: 0, wanted: 0, precise: 0 };
  const chosen = sample(named, SYMBOLS, ({ symbol }) => symbol);
  for (const truth of chosen) {
    const wanted = new Set(truth.references.map(keyOf));
    const { found, precise } = await allReferences(query, truth);
    for (const place of truth.ignored.map(keyOf)) found.delete(place);
    sums.right += [...found].filter((place) => wanted.has(place)).length;
    sums.answered += found.size;
    sums.wanted += wanted.size;
    sums.precise += precise ? 1 : 0;
  }
  const note = `${chosen.length} symbols, ${sums.wanted} uses, ${sums.answered} answered; ${sums.precise} answers are precise`;
  return [
    {
      what: "find_references, precision",
      unit: "share",
      ours: sums.right / Math.max(1, sums.answered),
      promise: ">= 0.5",
      note,
    },
    { what: "find_references, recall", unit: "share", ours: sums.right / sums.wanted, promise: ">= 0.95" },
  ];
}

const nameOf = (symbol: string) => descriptorsOf(symbol).at(-1) ?? "";

/** All pages of an answer at once. */
async function allReferences(query: Query, { symbol, definition, described }: Truth) {
  // The descriptors before the type are the module, folders and file of the definition.
  const descriptors = descriptorsOf(symbol);
  const name = descriptors.at(-1) ?? "";
  const parents = descriptors
    .slice(0, -1)
    .filter((part) => !/[./:]/.test(part) && !definition.path.split(/[/.]/).includes(part));
  const job = {
    name,
    parents,
    path: "",
    defined_in: definition.path,
    line: definition.line,
    include_definitions: false,
  };
  const answer = await query("references", job);
  return {
    found: new Set(answer.references.filter(({ path }) => described.has(path)).map(keyOf)),
    precise: answer.precision === "precise",
  };
}

export async function definitions(query: Query, truths: readonly Truth[]): Promise<Figure[]> {
  const uses = truths.flatMap(({ definition, uses }) => uses.map((use) => ({ use, definition })));
  const chosen = sample(uses, USES, ({ use }) => keyOf(use));
  let first = 0;
  let among = 0;
  for (const { use, definition } of chosen) {
    const answer = await query("definition", { ...use, symbol: undefined });
    const found = answer.definitions.map(({ path, line }) => `${path}:${line}`);
    const at = found.indexOf(`${definition.path}:${definition.line}`);
    if (at === 0) first++;
    if (at !== -1) among++;
  }
  return [
    {
      what: "go_to_definition, first answer right",
      unit: "share",
      ours: first / chosen.length,
      note: `${chosen.length} uses`,
    },
    { what: "go_to_definition, right answer listed", unit: "share", ours: among / chosen.length },
  ];
}
