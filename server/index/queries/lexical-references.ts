import type { DatabaseSync } from "node:sqlite";
import { familyOf, languageOf } from "../languages.ts";
import { linesAt } from "../lines-at.ts";
import { bareName, fitOf } from "../names.ts";
import { type Occurrence, occurrencesOf, wordPlaces } from "../occurrences.ts";
import type { UseContext } from "../use-context.ts";
import { importsOf, isModuleAt, moduleOf, relativeModule } from "./imports.ts";
import {
  countsAsInnerMember,
  countsInFunction,
  type InnerName,
  innerName,
  isMemberForm,
} from "./inner-names.ts";
import { lastOf } from "./lexical-targets.ts";
import { folderOf } from "./paths.ts";
import type { FoundUse, ReferencesJob } from "./reference-rows.ts";
import type { FoundSymbol } from "./symbol-rows.ts";
import { baseFinder, FOREIGN, typeFinder, typeNamed } from "./type-lookups.ts";

/** Languages in which the files of a folder, or of a package, see each other's names without an import. */
const SHARED = /^(?:go|java|csharp|kotlin|scala|swift|cpp|php|ruby|rust|sql)$/;
/** Languages in which a member can be named without a receiver. */
const IMPLICIT_THIS = /^(?:java|csharp|kotlin|scala|swift|cpp|ruby|sql)$/;
/** Languages whose compilers count a use of a member as one of those that implement it, and of what it implements. */
const INTERFACES = /^(?:ecmascript|java|csharp|kotlin|scala|php|swift)$/;
/** Kinds of symbols that are named behind a receiver. */
const MEMBER = /^(?:method|field)$/;

/** What a question without a precise index means. */
interface Target {
  /** The bare name. */
  name: string;
  /** The definitions that count; empty for a parameter, a local variable or the key of an object. */
  definitions: readonly FoundSymbol[];
  within: InnerName | undefined;
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
 * @param home the text of the file with the line that the question names
 * @returns finds the uses in a file
 */
export function lexicalUses(
  db: DatabaseSync,
  job: Asked,
  all: readonly FoundSymbol[],
  home: string | undefined,
): (path: string, text: string) => Promise<FoundUse[]> {
  const target = targetOf(db, job, all, isNamedOn(home, job));
  let inner: Promise<boolean> | undefined;
  const defined = new Set(all.map((d) => `${d.path}:${d.line}:${d.column + bareStart(d.name)}`));
  const counted = new Set(target.definitions.map((d) => `${d.path}:${d.line}`));
  return async (path, text) => {
    const occurrences = await occurrencesOf(text, languageOf(path), job.name);
    const file = fileOf(target, path, text);
    inner ??= target.within ? isMemberOn(home, job) : Promise.resolve(false);
    const isInnerMember = await inner;
    const isMember = target.isMember || isInnerMember;
    const declared =
      path === job.defined_in && target.definitions.length === 0
        ? occurrences.find((o) => o.line === job.line && isMemberForm(o) === isMember)
        : undefined;
    const renamed = target.isTopLevel ? await renamedUses(file, text) : [];
    const named = occurrences.flatMap((occurrence): FoundUse[] => {
      const { line, column, role } = occurrence;
      if (occurrence === declared) return [{ line, column, role: "definition", isDefinition: true }];
      const place = `${path}:${line}:${column}`;
      if (defined.has(place) && counted.has(`${path}:${line}`))
        return [{ line, column, role: "definition", isDefinition: true }];
      // `const { name } = …` defines a variable, and uses a member.
      if (defined.has(place) && occurrence.context?.form !== "shorthand") return [];
      return counts(target, file, occurrence, isInnerMember)
        ? [{ line, column, role, isDefinition: false }]
        : [];
    });
    return renamed.length === 0
      ? named
      : [...named, ...renamed].sort((a, b) => a.line - b.line || a.column - b.column);
  };
}

type Asked = Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">;

function isNamedOn(home: string | undefined, { name, line = 0 }: Asked): boolean {
  const text = linesAt(home ?? "", [line]).get(line) ?? "";
  return wordPlaces(text, bareName(name)).length > 0;
}

/** Whether a line names a member of a type without a name: `{ name: string }`, and with it perhaps the pattern `{ name }`. */
async function isMemberOn(home: string | undefined, { name, defined_in, line }: Asked): Promise<boolean> {
  if (home === undefined || defined_in === undefined) return false;
  const all = await occurrencesOf(home, languageOf(defined_in), name);
  const there = all.filter((o) => o.line === line);
  return there.some(isMemberForm) && there.every((o) => isMemberForm(o) || o.context?.form === "shorthand");
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
  { parents, defined_in, name, line }: Asked,
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
  const within =
    isInner && !field
      ? innerName(db, { path: defined_in, name: bareName(name), holder: qualifier, line })
      : undefined;
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

/** What the imports of a file say. */
interface FileFacts {
  path: string;
  isHome: boolean;
  /** True if the file can see the definition: it imports its file, or is in its package. */
  sees: boolean;
  /** True if the name on its own can mean the definition. Code in ECMAScript imports each name that it uses. */
  imports: boolean;
  namesHolder: boolean;
  /** Whether it names the definition around an inner name. */
  namesAround: boolean;
  /** The modules that it names: `ns` in `import * as ns`, if that is the file of the definition. */
  namespaces: readonly string[];
  /** True if it gets the name by `import()` or `require()`, so that it is a local variable. */
  isDynamic: boolean;
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
  const bound = imports.flatMap(({ names, ...rest }) => names.map((one) => ({ ...one, ...rest })));
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
    namesAround: target.within?.around !== undefined && hasWord(text, target.within.around.name),
    namespaces: imports.flatMap(({ from, namespace }) =>
      namespace !== undefined && homes.some((home) => isModuleAt(path, from, home)) ? [namespace] : [],
    ),
    isDynamic: own.some((one) => one.isDynamic),
    aliases: own.flatMap(({ local }) => (local === name ? [] : [local])),
  };
}

function counts(target: Target, file: FileFacts, occurrence: Occurrence, isInnerMember: boolean): boolean {
  const { context } = occurrence;
  const { within, homes, definitions, isMember, isTopLevel } = target;
  if (within)
    return isInnerMember
      ? countsAsInnerMember(within, file, occurrence, context && target.typeOf(context))
      : countsInFunction(within, file, occurrence);
  // A name without a definition, and a language without a grammar.
  if (homes.length === 0 || !context) return homes.length === 0 || !familyOf(homes[0] ?? "");
  if (familyOf(file.path) !== familyOf(homes[0] ?? "")) return false;
  if (definitions.length === 0 && !isMember) return file.isHome || (file.sees && context.form !== "plain");
  if (isTopLevel) {
    if (context.form === "member")
      return (
        file.namespaces.includes(context.receiver ?? "") || (file.sees && isModule(context, definitions))
      );
    const isFree = !context.isLocal || file.isDynamic;
    return context.form !== "key" && isFree && file.sees && file.imports;
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
  const implementsIt = INTERFACES.test(familyOf(file.path) ?? "");
  const hasMember = (type: string) =>
    holders.has(type) ||
    ((implementsIt || !others.has(type)) && derives(type, holders)) ||
    (implementsIt && [...holders].some((holder) => derives(holder, new Set([type]))));
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

const hasWord = (text: string, word: string) => wordPlaces(text, word).length > 0;

/** Index of the bare name in the spelled one. */
const bareStart = (name: string) => Math.max(0, name.indexOf(bareName(name)));
