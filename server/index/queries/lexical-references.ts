import type { DatabaseSync } from "node:sqlite";
import { languageOf } from "../languages.ts";
import { linesAt } from "../lines-at.ts";
import { bareName } from "../names.ts";
import { occurrencesOf, wordPlaces } from "../occurrences.ts";
import { countsAsUse } from "./counts-as-use.ts";
import { type FileScope, fileScope } from "./file-scope.ts";
import { isMemberForm } from "./inner-names.ts";
import type { FoundUse } from "./reference-rows.ts";
import { type Asked, targetOf } from "./reference-target.ts";
import type { FoundSymbol } from "./symbol-rows.ts";

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
    const file = fileScope(target, path, text);
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
      return countsAsUse(target, file, occurrence, isInnerMember)
        ? [{ line, column, role, isDefinition: false }]
        : [];
    });
    return renamed.length === 0
      ? named
      : [...named, ...renamed].sort((a, b) => a.line - b.line || a.column - b.column);
  };
}

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
async function renamedUses({ path, aliases }: FileScope, text: string): Promise<FoundUse[]> {
  const found = await Promise.all(aliases.map((alias) => occurrencesOf(text, languageOf(path), alias)));
  return found
    .flat()
    .filter(
      ({ context, role }) =>
        (context?.form === "plain" || context?.form === "shorthand") && !context.isLocal && role !== "import",
    )
    .map(({ line, column, role }) => ({ line, column, role, isDefinition: false }));
}

/** Index of the bare name in the spelled one. */
const bareStart = (name: string) => Math.max(0, name.indexOf(bareName(name)));
