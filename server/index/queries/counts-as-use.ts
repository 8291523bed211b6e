import { familyOf, languageOf } from "../languages.ts";
import type { Occurrence } from "../occurrences.ts";
import type { UseContext } from "../use-context.ts";
import type { FileScope } from "./file-scope.ts";
import { countsAsInnerMember, countsInFunction } from "./inner-names.ts";
import type { Target } from "./reference-target.ts";
import type { FoundSymbol } from "./symbol-rows.ts";
import { FOREIGN } from "./type-lookups.ts";

/** Languages in which a member can be named without a receiver. */
const IMPLICIT_THIS = /^(?:java|csharp|kotlin|scala|swift|cpp|ruby|sql)$/;
/** Languages whose compilers count a use of a member as one of those that implement it, and of what it implements. */
const INTERFACES = /^(?:ecmascript|java|csharp|kotlin|scala|php|swift)$/;
/** Whether an occurrence of the name is a use of the definitions, by scopes, imports and receivers. In doubt it counts. */
export function countsAsUse(
  target: Target,
  file: FileScope,
  occurrence: Occurrence,
  isInnerMember: boolean,
): boolean {
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
  file: FileScope,
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
