/**
 * Comparison of names. A definition is stored as in the source (`#close`, `empty?`, `~File`, `operator ==`, `r#type`) and looked up by its
 * bare form. A requested name may have the spelling of any language, stack trace or document.
 */

/** A requested name. */
export interface RequestedName {
  /** The last part as it was spelled, with its sigil. */
  name: string;
  /** The qualifiers before it, outermost first: classes, namespaces, packages, files or folders. */
  parents: string[];
  /** The whole text, since selectors, sections and dotted namespaces are one name. */
  whole: string;
}

const OPERATOR =
  /(?<![\p{L}\p{N}_$])operator\s*(?:\(\)|\[\]|[^\p{L}\p{N}_\s(]+|\s[\p{L}_][\p{L}\p{N}_:<>*&\s]*)$/u;
/** The operators that are method names in Ruby, and other names of signs only. */
const SIGNS = /^(.*?[\p{L}\p{N}_?!])(?:::|[.#/])([^\p{L}\p{N}_\s$#]+)$/u;
/** After a word `#` is a separator, except in `r#type`. At the start of a part it is the sigil of a private member. */
const SEPARATOR = /::?|->|\?\.|[/.\\]|(?<=[\p{L}\p{N}_?!])(?<!(?:^|[^\p{L}\p{N}_$])r)#/u;
/** Signs before or after an identifier, as languages have them. */
const SIGILS = /^(?:r#|[#@$~&]+)(?=[\p{L}\p{N}_])|(?<=[\p{L}\p{N}_])[?!=]+$/gu;
/** The beginning of a declaration, which models copy with the name: `class Account`, `export async function run(`, `new Account`. */
const KEYWORDS =
  /^(?:(?:export|default|public|private|protected|internal|static|abstract|final|async|pub|open|data|sealed|override)\s+)*(?:class|interface|struct|enum|trait|type|module|namespace|package|function|func|fun|fn|def|method|const|let|var|val|object|protocol|record|impl|new)\s+(?=[\p{L}_$#@~])/u;
/** Qualifiers that stand for the current module or object. */
const HERE = /^(?:crate|self|super|this|global)$/;

/**
 * Splits a name path: "a/B.c", "a::B#c", "A/#private", "App\\Model", "(*Server).Serve", "v.operator==", "Stack#empty?", "m::r#type".
 * Argument lists and type arguments are removed.
 */
export function splitNamePath(text: string): RequestedName {
  const whole = text.trim();
  const operator = OPERATOR.exec(whole);
  if (operator) return { name: operator[0], parents: partsOf(whole.slice(0, operator.index)), whole };
  const signs = SIGNS.exec(whole);
  if (signs?.[2] && !/^(?:\(\)|[()<>*&]*\))$/.test(signs[2]))
    return { name: signs[2], parents: partsOf(signs[1] ?? ""), whole };
  const parts = partsOf(plain(whole.replace(KEYWORDS, "")));
  return { name: parts.at(-1) ?? whole, parents: parts.slice(0, -1), whole };
}

function partsOf(text: string): string[] {
  const parts = text.split(SEPARATOR).filter((part) => part !== "");
  while (parts.length > 1 && HERE.test(parts[0] ?? "")) parts.shift();
  return parts;
}

/** Removes arguments, type arguments and the brackets around a receiver. */
function plain(text: string): string {
  return text
    .replace(/(?<=[\p{L}\p{N}_?!>])\([^()]*\)$/u, "")
    .replace(/(?<=[\p{L}\p{N}_])(?:::)?<[^<>]*>/gu, "")
    .replace(/^\(\s*[*&]*\s*([^()]*)\)/, "$1");
}

/** A name without sigils, quotes and the spaces of an operator. A name of signs only is not changed. */
export function bareName(name: string): string {
  const quoted = /^(["'`])(.*)\1$/.exec(name)?.[2] ?? name;
  if (/^operator(?![\p{L}\p{N}_])/u.test(quoted))
    return quoted.replace(/\s*([^\p{L}\p{N}_\s])\s*/gu, "$1").replace(/\s+/g, " ");
  const bare = quoted.replace(SIGILS, "");
  return bare === "" ? name : bare;
}

/** The surroundings of a definition that qualifiers may name. */
export interface Surroundings {
  path: string;
  /** The package or namespace that the file declares; "" for none. */
  package: string;
  /** The enclosing symbols, joined by "/". */
  parent: string;
}

/**
 * How well the qualifiers of a name fit a definition: twice the number of the last `parents` that are found, in order, among its folders,
 * file, package and enclosing symbols, plus 1 if the last of them encloses it directly.
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
