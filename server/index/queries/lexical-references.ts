import type { DatabaseSync } from "node:sqlite";
import { familyOf, languageOf } from "../languages.ts";
import { bareName, fitOf } from "../names.ts";
import { type Occurrence, occurrencesOf } from "../occurrences.ts";
import type { UseContext } from "../use-context.ts";
import { importsOf, isModuleAt, moduleOf, relativeModule } from "./imports.ts";
import { folderOf } from "./paths.ts";
import type { FoundUse, ReferencesJob } from "./reference-rows.ts";
import { type FoundSymbol, SYMBOL_TABLES } from "./symbol-rows.ts";
import { baseFinder, FOREIGN, typeFinder, typeNamed } from "./type-lookups.ts";

/** Languages in which the files of a folder, or of a package, see each other's names without an import. */
const SHARED = /^(?:go|java|csharp|kotlin|scala|swift|cpp|php|ruby|rust|sql)$/;
/** Languages in which a member can be named without a receiver. */
const IMPLICIT_THIS = /^(?:java|csharp|kotlin|scala|swift|cpp|ruby|sql)$/;
/** Kinds of symbols that are named behind a receiver. */
const MEMBER = /^(?:method|field)$/;

/** What a question without a precise index means. */
interface Target {
  /** The bare name. */
  name: string;
  /** The definitions that count; empty for a parameter, a local variable or the key of an object. */
  definitions: readonly FoundSymbol[];
  /** Lines that enclose all uses of a parameter or local variable. */
  within: { path: string; from: number; to: number } | undefined;
  /** Files with a definition. */
  homes: readonly string[];
  /** Files with another definition of the name. */
  elsewhere: readonly string[];
  /** The types whose member it is. */
  holders: ReadonlySet<string>;
  /** Types with another member of the same name. */
  others: ReadonlySet<string>;
  isMember: boolean;
  isTopLevel: boolean;
  /** The type of the receiver of a use. */
  typeOf(context: UseContext): string | undefined;
  /** Whether one of the types is a base of a type. */
  derives(type: string, bases: ReadonlySet<string>): boolean;
}

/**
 * Tells the uses of a symbol from those of others with its name, by scopes, imports and receivers. In doubt a use counts.
 *
 * @param all the definitions with the name in the whole repository
 * @param isNamedOnLine whether the name is on the line that the question names
 * @returns finds the uses in a file
 */
export function lexicalUses(
  db: DatabaseSync,
  job: Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">,
  all: readonly FoundSymbol[],
  isNamedOnLine: boolean,
): (path: string, text: string) => Promise<FoundUse[]> {
  const target = targetOf(db, job, all, isNamedOnLine);
  const defined = new Set(all.map((d) => `${d.path}:${d.line}:${d.column + bareStart(d.name)}`));
  const counted = new Set(target.definitions.map((d) => `${d.path}:${d.line}`));
  return async (path, text) => {
    if (target.within && target.within.path !== path) return [];
    const occurrences = await occurrencesOf(text, languageOf(path), job.name);
    const file = fileOf(target, path, text);
    // A field of a type without a name.
    const onLine = target.within ? occurrences.filter(({ line }) => line === job.line) : [];
    const isInnerMember = onLine.length > 0 && onLine.every(isMemberForm);
    const declared =
      path === job.defined_in && target.definitions.length === 0
        ? occurrences.find(
            (o) => o.line === job.line && isMemberForm(o) === (target.isMember || isInnerMember),
          )
        : undefined;
    const renamed = target.isTopLevel ? await renamedUses(file, text) : [];
    const named = occurrences.flatMap((occurrence): FoundUse[] => {
      const { line, column, role } = occurrence;
      if (occurrence === declared) return [{ line, column, role: "definition", isDefinition: true }];
      if (defined.has(`${path}:${line}:${column}`))
        return counted.has(`${path}:${line}`)
          ? [{ line, column, role: "definition", isDefinition: true }]
          : [];
      return counts(target, file, occurrence, isInnerMember)
        ? [{ line, column, role, isDefinition: false }]
        : [];
    });
    return renamed.length === 0
      ? named
      : [...named, ...renamed].sort((a, b) => a.line - b.line || a.column - b.column);
  };
}

/** The uses under a name that an import of the file gives to the definition. */
async function renamedUses({ path, aliases }: FileFacts, text: string): Promise<FoundUse[]> {
  const found = await Promise.all(aliases.map((alias) => occurrencesOf(text, languageOf(path), alias)));
  return found
    .flat()
    .filter(
      ({ context, role }) =>
        (context?.form === "plain" || context?.form === "shorthand") && !context.isLocal && role !== "import",
    )
    .map(({ line, column, role }) => ({ line, column, role, isDefinition: false }));
}

function targetOf(
  db: DatabaseSync,
  { parents, defined_in, name, line }: Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">,
  all: readonly FoundSymbol[],
  isNamedOnLine: boolean,
): Target {
  const inHome = defined_in === undefined ? all : all.filter((d) => d.path === defined_in);
  const fits = inHome.map((d) => fitOf(parents, { ...d, package: "" }));
  const best = Math.max(0, ...fits);
  const onLine = line === undefined ? [] : inHome.filter((d) => d.line === line);
  const definitions = onLine.length > 0 ? onLine : inHome.filter((_, n) => fits[n] === best);
  // Not a symbol of the index: a parameter, a local variable, a field that a method assigns, or the key of an object.
  const qualifier = parents.at(-1);
  const isOfNoType = onLine.length > 0 && onLine.every((d) => d.kind === "field" && d.parent === "");
  const isInner =
    (onLine.length === 0 || isOfNoType) &&
    defined_in !== undefined &&
    (isOfNoType || definitions.length === 0 || (qualifier !== undefined && best === 0) || isNamedOnLine) &&
    (qualifier === undefined || bareName(qualifier) !== bareName(name));
  const field = isInner && qualifier !== undefined ? typeNamed(db, defined_in, qualifier) : undefined;
  const within = isInner && !field ? linesOf(db, defined_in, qualifier, line) : undefined;
  const holders = new Set(
    field ? [bareName(field)] : definitions.flatMap((d) => (d.parent === "" ? [] : [lastOf(d.parent)])),
  );
  const counted = isInner ? [] : definitions;
  const others = all.filter((d) => !counted.includes(d) && d.parent !== "").map((d) => lastOf(d.parent));
  return {
    name: bareName(name),
    definitions: counted,
    within,
    homes: within
      ? [within.path]
      : defined_in !== undefined && (field !== undefined || inHome.length === 0)
        ? [defined_in]
        : definitions.map((d) => d.path),
    elsewhere: all.filter((d) => !definitions.includes(d) && d.parent === "").map((d) => d.path),
    holders,
    others: new Set(others.filter((other) => !holders.has(other))),
    isMember:
      field !== undefined || (definitions.length > 0 && definitions.every((d) => MEMBER.test(d.kind))),
    derives: baseFinder(db),
    typeOf: typeFinder(db, familyOf(defined_in ?? definitions[0]?.path ?? "")),
    isTopLevel: counted.length > 0 && counted.every((d) => d.parent === "" && !MEMBER.test(d.kind)),
  };
}

/** The lines of the function that has a parameter: the one around its line, else those of that name. */
function linesOf(
  db: DatabaseSync,
  path: string,
  holder: string | undefined,
  line: number | undefined,
): Target["within"] {
  const around = `SELECT start_line, end_line ${SYMBOL_TABLES} WHERE files.path = ? AND start_line <= ? AND end_line >= ?
    AND kind IN ('function', 'method') ORDER BY end_line - start_line LIMIT 1`;
  const named = `SELECT start_line, end_line ${SYMBOL_TABLES} WHERE files.path = ? AND bare = ?`;
  const found = line === undefined ? [] : db.prepare(around).all(path, line, line);
  const rows =
    found.length > 0 || holder === undefined ? found : db.prepare(named).all(path, bareName(holder));
  if (rows.length === 0) return { path, from: 1, to: Number.MAX_SAFE_INTEGER };
  return {
    path,
    from: Math.min(...rows.map((r) => Number(r.start_line))),
    to: Math.max(...rows.map((r) => Number(r.end_line))),
  };
}

const lastOf = (parent: string) => bareName(parent.split("/").at(-1) ?? "");

/** What the imports of a file say. */
interface FileFacts {
  path: string;
  isHome: boolean;
  /** True if the file can see the definition: it imports its file, or is in its package. */
  sees: boolean;
  /** True if the name on its own can mean the definition. Code in ECMAScript imports each name that it uses. */
  imports: boolean;
  namesHolder: boolean;
  /** The names that its imports give to the definition. */
  aliases: readonly string[];
}

function fileOf(target: Target, path: string, text: string): FileFacts {
  const { homes, name } = target;
  const isHome = homes.includes(path);
  const family = familyOf(path);
  const imports = importsOf(text, family);
  const importsHome = imports.some(({ from }) => homes.some((home) => isModuleAt(path, from, home)));
  const isEcmascript = family === "ecmascript";
  const shares =
    SHARED.test(family ?? "") && homes.some((home) => folderOf(home) === folderOf(path) || family !== "go");
  const others = target.elsewhere.map(moduleOf);
  const bound = imports.flatMap(({ from, names }) => names.map((one) => ({ ...one, from })));
  const naming = bound.filter(({ imported, local }) => imported === name || local === name);
  const own = naming.filter(
    ({ imported, from }) =>
      (imported === name || imported === "default") && !others.includes(relativeModule(path, from) ?? ""),
  );
  const namesHolder = [...target.holders].some((holder) => hasWord(text, holder));
  return {
    path,
    isHome,
    sees: isHome || importsHome || shares || own.length > 0,
    imports: isHome || shares || own.length > 0 || (naming.length === 0 && !isEcmascript),
    namesHolder,
    aliases: own.flatMap(({ local }) => (local === name ? [] : [local])),
  };
}

const isMemberForm = ({ context }: Occurrence) => context?.form === "member" || context?.form === "key";

function counts(target: Target, file: FileFacts, occurrence: Occurrence, isInnerMember: boolean): boolean {
  const { line, context } = occurrence;
  const { within, homes, definitions, isMember, isTopLevel } = target;
  if (within) return line >= within.from && line <= within.to && isMemberForm(occurrence) === isInnerMember;
  // A name without a definition, and a language without a grammar.
  if (homes.length === 0 || !context) return homes.length === 0 || !familyOf(homes[0] ?? "");
  if (familyOf(file.path) !== familyOf(homes[0] ?? "")) return false;
  if (definitions.length === 0 && !isMember) return file.isHome || (file.sees && context.form !== "plain");
  if (isTopLevel) {
    if (context.form === "member") return file.sees && isModule(context, definitions);
    return context.form !== "key" && !context.isLocal && file.sees && file.imports;
  }
  return isMember ? countsAsMember(target, file, context) : file.sees || file.namesHolder;
}

/** `module.name`, where the module is the file of the definition. */
function isModule({ receiver }: UseContext, definitions: readonly FoundSymbol[]): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, "");
  const before = plain(receiver ?? "");
  return definitions.some((d) => d.path.split(/[/.]/).some((part) => plain(part) === before));
}

function countsAsMember(
  { holders, others, typeOf, derives }: Target,
  file: FileFacts,
  context: UseContext,
): boolean {
  const { form, receiver, isLocal } = context;
  const near = file.sees || file.namesHolder;
  const hasMember = (type: string) => holders.has(type) || (!others.has(type) && derives(type, holders));
  // A template of Vue names the members of its component without `this`.
  const isTemplate = file.isHome && languageOf(file.path)?.container === "markup";
  if (form === "plain")
    return near && !isLocal && (isTemplate || IMPLICIT_THIS.test(familyOf(file.path) ?? ""));
  const type = typeOf(context);
  if (form === "shorthand" && type !== undefined) return holders.has(type) || (near && !others.has(type));
  if (form !== "member") return near;
  if (/^(?:this|self|super|cls)$/.test(receiver ?? "")) {
    if (context.holder === undefined) return file.isHome || file.namesHolder;
    return receiver === "super" ? derives(context.holder, holders) : hasMember(context.holder);
  }
  if (type === FOREIGN) return false;
  // The types that a struct embeds are not known.
  if (type !== undefined && (familyOf(file.path) !== "go" || holders.has(type) || others.has(type)))
    return hasMember(type);
  const asked = (receiver ?? "").toLowerCase();
  // `index` resembles CodeIndex. An object has to have its own name before the dot.
  const resembles = (type: string) =>
    asked !== "" &&
    (/^\p{Ll}/u.test(type)
      ? type === receiver
      : type.toLowerCase().includes(asked) || asked.includes(type.toLowerCase()));
  if ([...holders].some(resembles)) return true;
  if ([...others].some((other) => other.length > 3 && resembles(other))) return false;
  return near;
}

function hasWord(text: string, word: string): boolean {
  const at = (from: number) => text.indexOf(word, from);
  for (let n = at(0); word !== "" && n !== -1; n = at(n + word.length))
    if (!/[\p{L}\p{N}_$]/u.test(text[n - 1] ?? " ") && !/[\p{L}\p{N}_$]/u.test(text[n + word.length] ?? " "))
      return true;
  return false;
}

/** Index of the bare name in the spelled one. */
const bareStart = (name: string) => Math.max(0, name.indexOf(bareName(name)));
