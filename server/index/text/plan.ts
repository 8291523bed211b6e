import { ANY, and, holds, or, type TrigramQuery } from "../trigrams/query.ts";
import { SYMBOLS } from "../trigrams/symbols.ts";
import type { Regex } from "./regex.ts";

/** Largest number of different texts that a part of an expression may stand for. With more, it counts as unknown text. */
const MAX_TEXTS = 32;

/**
 * What a part of an expression stands for: one of a few texts, or unknown text in files that `query` allows. An empty text joins its
 * neighbours.
 */
type Part = { readonly texts: readonly string[] } | { readonly query: TrigramQuery };

/** The files that can have a match of an expression, by trigrams that each match contains (Russ Cox, "Regular Expression Matching with a Trigram Index"). */
export function planOf(regex: Regex): TrigramQuery {
  return queryOf(partOf(regex));
}

const queryOf = (part: Part) => ("query" in part ? part.query : or(part.texts.map(holds)));

function partOf(regex: Regex): Part {
  switch (regex.type) {
    case "literal":
      return { texts: [regex.char] };
    case "class":
      return classPart(regex);
    case "dot":
      return { query: ANY };
    case "concat":
      return concatPart(regex.parts.map(partOf));
    case "choice":
      return choicePart(regex.parts.map(partOf));
    case "repeat":
      return repeatPart(regex);
    default:
      return { texts: [""] };
  }
}

function classPart({ negated, items }: Regex & { type: "class" }): Part {
  const symbols = new Map<number, string>();
  if (negated) return { query: ANY };
  for (const item of items) {
    if ("perl" in item) return { query: ANY };
    const [from, to] = [item.from.codePointAt(0) ?? 0, item.to.codePointAt(0) ?? 0];
    if (to - from > MAX_TEXTS || to > 0xffff) return { query: ANY };
    for (let unit = from; unit <= to; unit++) symbols.set(SYMBOLS[unit] ?? 0, String.fromCharCode(unit));
  }
  return symbols.size <= MAX_TEXTS ? { texts: [...symbols.values()] } : { query: ANY };
}

function concatPart(parts: readonly Part[]): Part {
  const queries: TrigramQuery[] = [];
  let texts: readonly string[] = [""];
  const flush = () => {
    queries.push(or(texts.map(holds)));
    texts = [""];
  };
  for (const part of parts) {
    if ("query" in part) {
      flush();
      queries.push(part.query);
    } else {
      if (texts.length * part.texts.length > MAX_TEXTS) flush();
      texts = texts.flatMap((before) => part.texts.map((after) => before + after));
    }
  }
  if (queries.length === 0) return { texts };
  flush();
  return { query: and(queries) };
}

function choicePart(parts: readonly Part[]): Part {
  const texts = parts.flatMap((part) => ("texts" in part ? part.texts : []));
  if (parts.every((part) => "texts" in part) && texts.length <= MAX_TEXTS) return { texts };
  return { query: or(parts.map(queryOf)) };
}

function repeatPart({ part, min, max }: Regex & { type: "repeat" }): Part {
  const inner = partOf(part);
  if (max === 1 && "texts" in inner) return { texts: min === 1 ? inner.texts : ["", ...inner.texts] };
  if (min === 0) return { query: ANY };
  // The required repetitions, and unknown text after them.
  const required = Array.from({ length: Math.min(min, 4) }, () => inner);
  const exact = min === max && min <= 4;
  return concatPart(exact ? required : [...required, { query: ANY }]);
}
