import type { DatabaseSync } from "node:sqlite";
import { familyOf } from "../languages.ts";
import { bareName, fitOf } from "../names.ts";
import type { UseContext } from "../use-context.ts";
import { type InnerName, innerName } from "./inner-names.ts";
import { lastOf } from "./lexical-targets.ts";
import type { ReferencesJob } from "./reference-rows.ts";
import type { FoundSymbol } from "./symbol-rows.ts";
import { baseFinder, typeFinder, typeNamed } from "./type-lookups.ts";

/** Kinds of symbols that are named behind a receiver. */
const MEMBER = /^(?:method|field)$/;

/** What a question without a precise index means. */
export interface Target {
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

/** What is asked for. */
export type Asked = Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">;

/**
 * Finds out which definitions a question means.
 *
 * @param all the definitions with the name in the whole repository
 * @param isNamedOnLine whether the line that the question names has the name
 */
export function targetOf(
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
