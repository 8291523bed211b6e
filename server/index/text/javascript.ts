import type { ClassItem, Regex } from "./regex.ts";

/** The most steps of the matcher for one line. */
const MAX_STEPS = 1e8;

/** An expression of JavaScript that finds the same lines as one of Rust, each with the place of its first match. */
export interface LineRegex {
  readonly regex: RegExp;
  /** Whether a match starts at the start of its line, wherever `regex` finds it. */
  readonly fromStart: boolean;
  /** JavaScript's matcher goes back and tries again. With longer lines that could take too long. Characters. */
  readonly maxLine: number;
  /** Bytes of UTF-8 that are in each match; undefined if there are none, or their case may differ. */
  readonly required: Buffer | undefined;
}

const PERL = {
  d: "\\p{Nd}",
  s: "\\p{White_Space}",
  w: "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}",
} as const;
const WORD = `[${PERL.w}]`;
const SIMPLE: Readonly<Record<string, string>> = {
  dot: "[^\\n\\r]",
  // ripgrep's lines end with LF or CRLF, those of JavaScript also with other characters.
  start: "(?<![^\\n])",
  end: "(?![^\\n\\r])",
  boundary: `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`,
  "no boundary": `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`,
};

/**
 * Translates an expression. Nothing in the result matches a line break, so it can search a whole text.
 *
 * @returns undefined if JavaScript's matcher could take too long even for short lines
 */
export function toJavaScript(regex: Regex, ignoreCase: boolean): LineRegex | undefined {
  const parts = regex.type === "concat" ? [...regex.parts] : [regex];
  // What may be empty at the end decides neither whether a line matches nor where the match starts.
  for (let last = parts.at(-1); last?.type === "repeat" && last.min === 0; last = parts.at(-1)) parts.pop();
  const first = parts[0];
  const fromStart =
    first?.type === "repeat" &&
    first.part.type === "dot" &&
    first.min === 0 &&
    first.max === Number.POSITIVE_INFINITY;
  if (fromStart) parts.shift();
  const cost = costOf({ type: "concat", parts });
  if (!cost) return undefined;
  const maxLine = Math.floor((MAX_STEPS / cost.choices) ** (1 / (cost.unlimited + 1)));
  const source = parts.map(sourceOf).join("");
  return {
    regex: new RegExp(source, ignoreCase ? "giv" : "gv"),
    fromStart,
    maxLine,
    required: ignoreCase ? undefined : requiredBytes(parts),
  };
}

/** The longest text that is in each match. */
function requiredBytes(parts: readonly Regex[]): Buffer | undefined {
  let longest = "";
  let run = "";
  const add = (regex: Regex) => {
    if (regex.type === "concat") regex.parts.forEach(add);
    else run = regex.type === "literal" ? run + regex.char : "";
    if (run.length > longest.length) longest = run;
  };
  parts.forEach(add);
  return longest === "" ? undefined : Buffer.from(longest);
}

/** The matcher's ways through an expression for a line of n characters: at most `choices` times n to the power of `unlimited`. */
interface Cost {
  readonly choices: number;
  readonly unlimited: number;
}

/** @returns undefined if the number of ways grows exponentially */
function costOf(regex: Regex): Cost | undefined {
  if (regex.type === "repeat") {
    const inner = costOf(regex.part);
    if (!inner || (regex.max > 1 && (inner.choices > 1 || inner.unlimited > 0))) return undefined;
    if (regex.max === Number.POSITIVE_INFINITY) return { choices: 1, unlimited: 1 };
    return { choices: inner.choices + regex.max - regex.min, unlimited: inner.unlimited };
  }
  if (!("parts" in regex)) return { choices: 1, unlimited: 0 };
  let choices = 1;
  let unlimited = 0;
  for (const part of regex.parts) {
    const cost = costOf(part);
    if (!cost) return undefined;
    choices *= cost.choices;
    unlimited += cost.unlimited;
  }
  return { choices: regex.type === "choice" ? choices * regex.parts.length : choices, unlimited };
}

function sourceOf(regex: Regex): string {
  switch (regex.type) {
    case "literal":
      return escaped(regex.char);
    case "class":
      // Line breaks are removed as ripgrep does it (grep-regex, strip_from_match).
      return `[[${regex.negated ? "^" : ""}${regex.items.map(itemSource).join("")}]--[\\n\\r]]`;
    case "concat":
      return `(?:${regex.parts.map(sourceOf).join("")})`;
    case "choice":
      return `(?:${regex.parts.map(sourceOf).join("|")})`;
    case "repeat": {
      const { min, max, lazy, part } = regex;
      const most = max === Number.POSITIVE_INFINITY ? "" : max;
      return `(?:${sourceOf(part)}){${min},${most}}${lazy ? "?" : ""}`;
    }
    default:
      return SIMPLE[regex.type] ?? "";
  }
}

function itemSource(item: ClassItem): string {
  if ("perl" in item) return item.negated ? `[^${PERL[item.perl]}]` : PERL[item.perl];
  return item.from === item.to ? escaped(item.from) : `${escaped(item.from)}-${escaped(item.to)}`;
}

const escaped = (char: string) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
