/**
 * The names in a SCIP symbol: "scip-typescript npm pkg 1.0 `a.ts`/Class#method()." The descriptors after the package have a sign for their
 * kind: `/` namespace, `#` type, `.` term, `().` method, `[]` type parameter, `()` parameter, `:` meta, `!` macro.
 */

/** True for a symbol that only its own document knows. */
export const isLocal = (symbol: string) => symbol.startsWith("local ");

/** A symbol's package: manager, name and version; undefined for a local symbol. */
export function packageOf(symbol: string): string | undefined {
  if (isLocal(symbol)) return undefined;
  const parts = headOf(symbol)
    .parts.slice(1)
    .filter((part) => part !== "" && part !== ".");
  return parts.join(" ");
}

/** The names of the descriptors, outermost first; empty for a local symbol. */
export function descriptorsOf(symbol: string): string[] {
  if (isLocal(symbol)) return [];
  const names: string[] = [];
  const text = symbol.slice(headOf(symbol).end);
  const descriptor = /`((?:[^`]|``)*)`|[\p{L}\p{N}_+\-$]+|[([](?:`((?:[^`]|``)*)`|[\p{L}\p{N}_+\-$]+)[)\]]/gu;
  for (const match of text.matchAll(descriptor)) {
    // The disambiguator of an overload: `run(+1).`
    if (/^\(\+\d+\)$/.test(match[0])) continue;
    const quoted = match[1] ?? match[2];
    names.push(quoted === undefined ? match[0].replace(/^[([]|[)\]]$/g, "") : quoted.replaceAll("``", "`"));
  }
  return names;
}

/** Scheme, manager, package and version are separated by blanks; a blank in one of them is doubled. */
function headOf(symbol: string): { parts: string[]; end: number } {
  const parts: string[] = [];
  let part = "";
  let at = 0;
  for (; at < symbol.length && parts.length < 4; at++) {
    if (symbol[at] !== " ") part += symbol[at];
    else if (symbol[at + 1] === " " && part !== "") {
      part += " ";
      at++;
    } else {
      parts.push(part);
      part = "";
    }
  }
  return { parts, end: at };
}
