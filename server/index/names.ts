/**
 * How names are compared. A definition is kept as its source spells it (`#bury`, `empty?`, `~File`, `operator ==`, `r#type`); it is looked
 * up by its bare form, and what is asked for may be spelled as any language, stack trace or document spells it.
 */

/** A name that was asked for. */
export interface AskedName {
  /** The last part as it was spelled, its sigil included. */
  name: string;
  /** What stands before it, outermost first: classes, namespaces, packages, files or folders. */
  parents: string[];
  /** The whole text: selectors, sections and dotted namespaces are one name. */
  whole: string;
}

const OPERATOR =
  /(?<![\p{L}\p{N}_$])operator\s*(?:\(\)|\[\]|[^\p{L}\p{N}_\s(]+|\s[\p{L}_][\p{L}\p{N}_:<>*&\s]*)$/u;
/** The operators that Ruby takes as names of methods, and whatever else consists of signs alone. */
const SIGNS = /^(.*?[\p{L}\p{N}_?!])(?:::|[.#/])([^\p{L}\p{N}_\s$#]+)$/u;
/** `#` separates after a word, except in `r#type`; at the start of a part it is the sigil of a private member. */
const SEPARATOR = /::?|->|\?\.|[/.\\]|(?<=[\p{L}\p{N}_?!])(?<!(?:^|[^\p{L}\p{N}_$])r)#/u;
/** What languages put before or after an identifier. */
const SIGILS = /^(?:r#|[#@$~&]+)(?=[\p{L}\p{N}_])|(?<=[\p{L}\p{N}_])[?!=]+$/gu;
/** Parts that stand for the place where they are written. */
const HERE = /^(?:crate|self|super|this|global)$/;

/**
 * Splits a name path: "a/B.c", "a::B#c", "A/#private", "App\\Model", "(*Server).Serve", "v.operator==", "Stack#empty?", "m::r#type".
 * Call brackets, argument lists and type arguments are left out.
 */
export function splitNamePath(text: string): AskedName {
  const whole = text.trim();
  const operator = OPERATOR.exec(whole);
  if (operator) return { name: operator[0], parents: partsOf(whole.slice(0, operator.index)), whole };
  const signs = SIGNS.exec(whole);
  if (signs?.[2] && !/^(?:\(\)|[()<>*&]*\))$/.test(signs[2]))
    return { name: signs[2], parents: partsOf(signs[1] ?? ""), whole };
  const parts = partsOf(plain(whole));
  return { name: parts.at(-1) ?? whole, parents: parts.slice(0, -1), whole };
}

function partsOf(text: string): string[] {
  const parts = text.split(SEPARATOR).filter((part) => part !== "");
  while (parts.length > 1 && HERE.test(parts[0] ?? "")) parts.shift();
  return parts;
}

/** Without arguments, type arguments and the brackets round a receiver. */
function plain(text: string): string {
  return text
    .replace(/(?<=[\p{L}\p{N}_?!>])\([^()]*\)$/u, "")
    .replace(/(?<=[\p{L}\p{N}_])(?:::)?<[^<>]*>/gu, "")
    .replace(/^\(\s*[*&]*\s*([^()]*)\)/, "$1");
}

/** A name without its sigils, quotes and the spaces of an operator; a name of signs alone stays as it is. */
export function bareName(name: string): string {
  const quoted = /^(["'`])(.*)\1$/.exec(name)?.[2] ?? name;
  if (/^operator(?![\p{L}\p{N}_])/u.test(quoted))
    return quoted.replace(/\s*([^\p{L}\p{N}_\s])\s*/gu, "$1").replace(/\s+/g, " ");
  const bare = quoted.replace(SIGILS, "");
  return bare === "" ? name : bare;
}

/** Where a definition lies, part by part, as qualifiers may name it. */
export interface Surroundings {
  path: string;
  /** The package or namespace that the file declares, "" for none. */
  package: string;
  /** The enclosing symbols, joined by "/". */
  parent: string;
}

/**
 * How much of the qualifiers of a name fits a definition: twice the number of the last `parents` that are found, in order, among its
 * folders, its file, its package and the symbols round it; and 1 more when the last of them is what it lies in directly.
 */
export function fitOf(parents: readonly string[], where: Surroundings): number {
  const holders = comparable(where.parent.split(/[/.:\\]+/));
  const places = [
    ...comparable(where.path.split(/[/.]+/)),
    ...comparable(where.package.split(/[.:\\/]+/)),
    ...holders,
  ];
  const asked = comparable(parents);
  const direct = asked.at(-1) !== undefined && asked.at(-1) === holders.at(-1) ? 1 : 0;
  let place = places.length;
  let fitting = 0;
  for (const part of asked.toReversed()) {
    place = place === 0 ? -1 : places.lastIndexOf(part, place - 1);
    if (place === -1) break;
    fitting++;
  }
  return fitting === 0 ? 0 : 2 * fitting + direct;
}

const comparable = (parts: readonly string[]) =>
  parts.filter((part) => part !== "").map((part) => bareName(part).replaceAll("-", "_").toLowerCase());
