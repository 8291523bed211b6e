import { familyOf } from "../languages.ts";
import { bareName } from "../names.ts";
import type { UseContext } from "../use-context.ts";
import { type Import, isModuleAt, relativeModule } from "./imports.ts";
import { folderOf } from "./paths.ts";
import type { FoundSymbol } from "./symbol-rows.ts";

/** Languages in which the files of a folder, or of a package, see each other's names without an import. */
export const SHARED =
  /^(?:go|java|csharp|kotlin|scala|swift|cpp|php|ruby|rust|dart|lua|bash|powershell|sql)$/;
/** Kinds of symbols that are named behind a receiver. */
const MEMBER = /^(?:method|field)$/;
/** Members that most libraries have too, so that the name alone says nothing. */
const COMMON =
  /^(?:add|all|append|at|bind|call|catch|clear|close|concat|copy|delete|each|end|entries|error|exec|find|filter|first|flat|forEach|format|from|get|has|includes|indexOf|info|init|insert|is|items|join|keys|last|length|list|log|map|match|name|next|of|on|once|open|parse|pop|push|put|read|reduce|remove|replace|reset|resolve|run|send|set|size|slice|some|sort|split|start|stop|test|text|then|toString|trim|update|use|value|values|warn|write)$/;

/** Where a name is written. */
export interface Site {
  path: string;
  name: string;
  context: UseContext;
  imports: readonly Import[];
  /** The types around it, innermost first. */
  holders: readonly string[];
}

/**
 * The definitions that a name at a place means, as far as scopes, imports and receivers tell it. Empty if they do not.
 *
 * @param candidates the definitions with the name
 */
export function lexicalTargets(site: Site, candidates: readonly FoundSymbol[]): FoundSymbol[] {
  const { context, path } = site;
  const family = familyOf(path);
  const known = candidates.filter((d) => familyOf(d.path) === family);
  if (context.form === "shorthand" && context.receiverType !== undefined)
    return known.filter((d) => lastOf(d.parent) === context.receiverType);
  return context.form === "member"
    ? memberTargets(site, known)
    : context.form === "key" || context.isLocal
      ? []
      : plainTargets(site, known, family);
}

function plainTargets(
  { path, name, imports, holders }: Site,
  known: readonly FoundSymbol[],
  family: string | undefined,
): FoundSymbol[] {
  const shares = SHARED.test(family ?? "");
  const own = known.filter((d) => d.path === path);
  const inHolder = shares ? own.filter((d) => holders.includes(lastOf(d.parent))) : [];
  if (inHolder.length > 0) return inHolder;
  const plain = own.filter((d) => !MEMBER.test(d.kind));
  if (plain.length > 0) return plain;
  const top = known.filter((d) => d.path !== path && (shares || !MEMBER.test(d.kind)));
  const statement = imports.find(({ names }) => names.some(({ local }) => local === name));
  if (statement) {
    const there = top.filter((d) => isModuleAt(path, statement.from, d.path));
    if (there.length > 0) return there;
    // A module that exports what another one defines, if it is of this repository.
    return relativeModule(path, statement.from) === undefined ? [] : few(top);
  }
  if (!shares) return [];
  const beside = top.filter((d) => folderOf(d.path) === folderOf(path));
  return beside.length > 0 ? beside : family === "go" ? [] : few(top);
}

function memberTargets(
  { path, name, context, imports, holders }: Site,
  known: readonly FoundSymbol[],
): FoundSymbol[] {
  const { receiver = "", receiverType } = context;
  const members = known.filter((d) => MEMBER.test(d.kind) || d.parent !== "");
  const of = (types: readonly string[]) => members.filter((d) => types.includes(lastOf(d.parent)));
  if (/^(?:this|self|super|cls)$/.test(receiver)) {
    const own = of(holders).filter((d) => d.path === path);
    return own.length > 0 ? own : COMMON.test(name) ? [] : few(members);
  }
  if (receiverType !== undefined) {
    const typed = of([receiverType]);
    if (typed.length > 0) return typed;
  }
  const module = imports.find(
    ({ namespace, names }) => namespace === receiver || names.some(({ local }) => local === receiver),
  );
  if (module) {
    const imported = module.names.find(({ local }) => local === receiver)?.imported ?? receiver;
    const there = known.filter(
      (d) => isModuleAt(path, module.from, d.path) || isModuleAt(path, `${module.from}/${imported}`, d.path),
    );
    const ofType = there.filter((d) => lastOf(d.parent) === imported);
    if (ofType.length > 0) return ofType;
    const top = there.filter((d) => d.parent === "");
    if (top.length > 0) return top;
    if (relativeModule(path, module.from) === undefined) return [];
  }
  const named = of([receiver]);
  if (named.length > 0) return named;
  return COMMON.test(name) || receiverType !== undefined ? [] : few(members);
}

/** A name with one or two definitions means them; one with more means any. */
const few = (symbols: readonly FoundSymbol[]) => (symbols.length <= 2 ? [...symbols] : []);

export const lastOf = (parent: string) => bareName(parent.split("/").at(-1) ?? "");
