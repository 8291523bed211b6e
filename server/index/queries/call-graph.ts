import type { DatabaseSync } from "node:sqlite";
import { callSites } from "../call-sites.ts";
import type { IndexJob, JobContext } from "../job.ts";
import { familyOf, languageOf } from "../languages.ts";
import type { Role } from "../occurrences.ts";
import type { PreciseDocument, PreciseIndex } from "../scip/precise-index.ts";
import { TreeReader } from "../work-tree.ts";
import { definitionsOf } from "./find-symbol.ts";
import { type Import, importsOf } from "./imports.ts";
import { lexicalTargets } from "./lexical-targets.ts";
import { preciseUses } from "./precise-references.ts";
import type { Precision } from "./reference-rows.ts";
import { shownLine, shownPlaces } from "./shown-places.ts";
import { type FoundSymbol, SYMBOL_COLUMNS, SYMBOL_TABLES } from "./symbol-rows.ts";
import { searchUses } from "./uses.ts";

/** One symbol that uses another one, or is used by it. */
export interface Call {
  /** The other end: the caller, or what is called. Code outside of definitions has the kind `module` and the name of its file. */
  symbol: FoundSymbol;
  /** The lines of the calls, in the file of the caller. */
  lines: number[];
  /** The first of these lines. */
  text: string;
  isPrecise: boolean;
}

/** Most files that are read for the callers of one symbol. */
const MAX_FILES = 300;
/** Most calls of one symbol. */
const MAX_CALLS = 500;
/** Kinds of symbols that are called or passed on. Types and fields are called only where code says so. */
const CALLABLE = /^(?:function|method|macro)$/;

/** A use of a definition in the code of another one. */
interface Callee {
  target: FoundSymbol;
  line: number;
  text: string;
}

/** Who calls a symbol, and what it calls: by the precise index where it describes a file, else by names and scopes. */
export class CallGraph {
  readonly #db: DatabaseSync;
  readonly #job: IndexJob;
  readonly #index: PreciseIndex | undefined;
  readonly #context: JobContext;
  readonly #reader: TreeReader;
  readonly #imports = new Map<string, Import[]>();
  #precise = false;
  #lexical = false;

  constructor(db: DatabaseSync, job: IndexJob, index: PreciseIndex | undefined, context: JobContext) {
    this.#db = db;
    this.#job = job;
    this.#index = index;
    this.#context = context;
    this.#reader = new TreeReader(job.root);
  }

  /** Where the calls so far come from. */
  get precision(): Precision {
    return !this.#precise ? "lexical" : this.#lexical ? "mixed" : "precise";
  }

  /**
   * The definitions that use a symbol, those nearest to it first, tests last.
   *
   * @param maxFiles of a search by names: a name in more files gives none, since most of them are of other symbols
   */
  async callers(symbol: FoundSymbol, maxFiles = Number.POSITIVE_INFINITY): Promise<Call[]> {
    if (!isCode(symbol)) return [];
    const { database, root } = this.#job;
    const { name, path: defined_in, line } = symbol;
    const parents = symbol.parent.split("/").filter((part) => part !== "");
    const asked = { database, root, name, parents, path: "", defined_in, line };
    const precise = this.#index && preciseUses(this.#index, asked);
    this.#note(precise !== undefined);
    const search = searchUses(asked, this.#db, precise);
    if (!precise && search.paths.length > maxFiles) return [];
    const calls = new Map<string, Call>();
    for (const path of search.paths.slice(0, MAX_FILES)) {
      if (this.#context.timeUp() || calls.size >= MAX_CALLS) break;
      const file = await search.usesIn(path);
      if (!file) continue;
      for (const { line, role, isDefinition, text } of file.uses) {
        if (isDefinition || role === "import") continue;
        const caller = this.#around(path, line);
        if (caller && keyOf(caller) === keyOf(symbol)) continue;
        this.#note(file.isPrecise);
        add(calls, caller ?? fileSymbol(path), { line, text, isPrecise: file.isPrecise });
      }
    }
    return [...calls.values()];
  }

  /** The definitions that a symbol calls, in the order of its code. */
  async callees(symbol: FoundSymbol): Promise<Call[]> {
    if (!isCode(symbol)) return [];
    const document = this.#index?.document(symbol.path);
    const isPrecise = document?.isCurrent === true;
    this.#note(isPrecise);
    const calls = new Map<string, Call>();
    const found = isPrecise ? this.#preciseCallees(document, symbol) : this.#lexicalCallees(symbol);
    for await (const { target, line, text } of found) {
      const isInside =
        target.path === symbol.path && target.line >= symbol.line && target.line <= symbol.end_line;
      if (isInside || calls.size >= MAX_CALLS) continue;
      add(calls, target, { line, text, isPrecise });
    }
    return [...calls.values()];
  }

  #note(isPrecise: boolean): void {
    if (isPrecise) this.#precise = true;
    else this.#lexical = true;
  }

  async *#preciseCallees(document: PreciseDocument, symbol: FoundSymbol): AsyncGenerator<Callee> {
    const index = this.#index;
    if (!index) return;
    const { path, unit } = document;
    const places = index
      .occurrences(document)
      .filter(
        (o) => o.symbol >= 0 && !o.isDefinition && o.line >= symbol.line - 1 && o.line < symbol.end_line,
      );
    const uses = (await shownPlaces(this.#reader, path, { unit, places })) ?? [];
    const targets = new Map<number, FoundSymbol[]>();
    for (const [n, { line, role, text }] of uses.entries()) {
      if (this.#context.timeUp()) return;
      const called = places[n]?.symbol ?? -1;
      const known = targets.get(called) ?? this.#definitionsOf(index, called);
      targets.set(called, known);
      for (const target of known) if (isCall(role, target)) yield { target, line, text };
    }
  }

  #definitionsOf(index: PreciseIndex, symbol: number): FoundSymbol[] {
    const name = index.symbol(symbol)?.symbol ?? "";
    return index.usesOf([symbol], "definitions").flatMap(({ document, places }) =>
      places()
        .filter(({ isDefinition }) => isDefinition)
        .flatMap(({ line }) => this.#at(document.path, line + 1, name)),
    );
  }

  async *#lexicalCallees(symbol: FoundSymbol): AsyncGenerator<Callee> {
    const text = this.#reader.readSync(symbol.path);
    if (text === undefined) return;
    const lines = text.split("\n");
    const holders = [...symbol.parent.split("/"), symbol.name].reverse();
    const range = { from: symbol.line, to: symbol.end_line };
    for (const site of await callSites(text, languageOf(symbol.path), range)) {
      if (this.#context.timeUp()) return;
      const { name, context, line } = site;
      const place = {
        path: symbol.path,
        name,
        context,
        imports: this.#importsOf(symbol.path, text),
        holders,
      };
      for (const target of lexicalTargets(place, definitionsOf(this.#db, importedAs(place))))
        yield { target, line, text: shownLine(lines[line - 1] ?? "") };
    }
  }

  #importsOf(path: string, text: string): Import[] {
    const known = this.#imports.get(path) ?? importsOf(text, familyOf(path));
    this.#imports.set(path, known);
    return known;
  }

  /** The innermost definition with a line. */
  #around(path: string, line: number): FoundSymbol | undefined {
    return this.#db
      .prepare(
        `SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
         ORDER BY end_line - start_line, symbols.line DESC LIMIT 1`,
      )
      .get(path, line, line) as unknown as FoundSymbol | undefined;
  }

  /** The definition on a line, whose name the SCIP symbol ends with. */
  #at(path: string, line: number, symbol: string): FoundSymbol[] {
    const rows = this.#db
      .prepare(`SELECT ${SYMBOL_COLUMNS} ${SYMBOL_TABLES} WHERE files.path = ? AND symbols.line = ?`)
      .all(path, line) as unknown as FoundSymbol[];
    const named = rows.filter(({ name }) => symbol.includes(name));
    return (named.length > 0 ? named : rows).slice(0, 1);
  }
}

/** Sections of prose and keys of data have no calls. */
const isCode = ({ path }: FoundSymbol) => familyOf(path) !== undefined;

export const keyOf = ({ path, line, name }: FoundSymbol) => `${path}:${line}:${name}`;

const isCall = (role: Role, { kind }: FoundSymbol) =>
  role === "call" || (role === "use" && CALLABLE.test(kind));

/** The name in the module of a name that an import renames. */
function importedAs({ name, imports }: { name: string; imports: readonly Import[] }): string {
  for (const { names } of imports)
    for (const { imported, local } of names) if (local === name && imported !== "default") return imported;
  return name;
}

function add(
  calls: Map<string, Call>,
  symbol: FoundSymbol,
  { line, text, isPrecise }: { line: number; text: string; isPrecise: boolean },
): void {
  const known = calls.get(keyOf(symbol));
  if (!known) calls.set(keyOf(symbol), { symbol, lines: [line], text, isPrecise });
  else if (!known.lines.includes(line)) known.lines.push(line);
}

/** Stands for the code of a file outside of definitions. */
export function fileSymbol(path: string): FoundSymbol {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const place = { start_line: 1, line: 1, column: 1, end_line: 1 };
  return { path, name, kind: "module", parent: "", ...place, signature: "" };
}
