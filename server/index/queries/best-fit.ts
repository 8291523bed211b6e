import type { DatabaseSync } from "node:sqlite";
import { fitOf } from "../names.ts";
import { definitionsOf } from "./find-symbol.ts";
import type { ReferencesJob } from "./reference-rows.ts";
import type { FoundSymbol } from "./symbol-rows.ts";

/** The definitions whose surroundings fit the qualifiers best. */
export function bestFitting(
  definitions: readonly FoundSymbol[],
  parents: readonly string[],
): readonly FoundSymbol[] {
  const fits = definitions.map((d) => fitOf(parents, { ...d, package: "" }));
  const best = Math.max(0, ...fits);
  return definitions.filter((_, n) => fits[n] === best);
}

/** The definitions that a question about a name means, ranked. */
export function definitionsMeant(
  db: DatabaseSync,
  { name, parents, defined_in, line }: Pick<ReferencesJob, "name" | "parents" | "defined_in" | "line">,
): readonly FoundSymbol[] {
  const all = definitionsOf(db, name).filter((d) => defined_in === undefined || d.path === defined_in);
  const onLine = all.filter((d) => d.line === line);
  return onLine.length > 0 ? onLine : bestFitting(all, parents);
}
