/** A part of a regular expression. A character is one code point. */
export type Regex =
  | { readonly type: "literal"; readonly char: string }
  | { readonly type: "class"; readonly negated: boolean; readonly items: readonly ClassItem[] }
  | { readonly type: "dot" | "start" | "end" | "boundary" | "no boundary" }
  | { readonly type: "concat"; readonly parts: readonly Regex[] }
  | { readonly type: "choice"; readonly parts: readonly Regex[] }
  | Repeat;

export interface Repeat {
  readonly type: "repeat";
  readonly part: Regex;
  readonly min: number;
  /** Infinity if there is no limit. */
  readonly max: number;
  readonly lazy: boolean;
}

/** A range of characters, or one of the classes `\d`, `\s`, `\w` and their complements. */
export type ClassItem =
  | { readonly from: string; readonly to: string }
  | { readonly perl: "d" | "s" | "w"; readonly negated: boolean };

export interface ParsedRegex {
  readonly regex: Regex;
  /** Whether it starts with the flag `i`. */
  readonly insensitive: boolean;
}

/** Largest number of repetitions in braces. ripgrep refuses expressions that become too large. */
const MAX_COUNT = 100;
const CONTROLS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" };

export const literalOf = (text: string): Regex => ({
  type: "concat",
  parts: [...text].map((char) => ({ type: "literal", char })),
});

/**
 * Parses the common part of the syntax of Rust's regex crate (docs.rs/regex).
 *
 * @returns undefined for all other syntax and for errors: only ripgrep itself knows what these mean
 */
export function parseRegex(source: string): ParsedRegex | undefined {
  try {
    return new Parser(source).all();
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

class Unknown extends Error {}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  all(): ParsedRegex {
    const flags = /^\(\?([is]+)\)/.exec(this.#chars.slice(0, 6).join(""));
    if (flags) this.#at = flags[0].length;
    const regex = this.#choice();
    if (this.#at < this.#chars.length) throw new Unknown();
    return { regex, insensitive: flags?.[1]?.includes("i") ?? false };
  }

  #peek(offset = 0): string | undefined {
    return this.#chars[this.#at + offset];
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new Unknown();
    return char;
  }

  #skips(text: string): boolean {
    if ([...text].some((char, n) => this.#peek(n) !== char)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Regex {
    const parts = [this.#concat()];
    while (this.#skips("|")) parts.push(this.#concat());
    return parts.length === 1 && parts[0] ? parts[0] : { type: "choice", parts };
  }

  #concat(): Regex {
    const parts: Regex[] = [];
    for (let char = this.#peek(); char !== undefined && char !== "|" && char !== ")"; char = this.#peek())
      parts.push(this.#repeat(this.#atom()));
    return { type: "concat", parts };
  }

  #repeat(part: Regex): Regex {
    const counts = this.#counts();
    if (!counts) return part;
    const [min, max] = counts;
    const lazy = this.#skips("?");
    const repeatable = part.type !== "start" && part.type !== "end" && !part.type.endsWith("boundary");
    if (!repeatable || this.#counts() || min > max) throw new Unknown();
    return { type: "repeat", part, min, max, lazy };
  }

  #counts(): [number, number] | undefined {
    if (this.#skips("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#skips("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#skips("?")) return [0, 1];
    if (this.#peek() !== "{") return undefined;
    const text = this.#chars.slice(this.#at, this.#at + 10).join("");
    const [all, from = "", comma, to = ""] = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(text) ?? [];
    if (all === undefined) throw new Unknown();
    this.#at += all.length;
    const min = Number(from);
    const max = comma === undefined ? min : to === "" ? Number.POSITIVE_INFINITY : Number(to);
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Number.POSITIVE_INFINITY)) throw new Unknown();
    return [min, max];
  }

  #atom(): Regex {
    const char = this.#next();
    if (char === ".") return { type: "dot" };
    if (char === "^") return { type: "start" };
    if (char === "$") return { type: "end" };
    if (char === "(") return this.#group();
    if (char === "[") return this.#class();
    if (char === "\\") return this.#escape();
    if ("*+?{".includes(char)) throw new Unknown();
    return { type: "literal", char };
  }

  #group(): Regex {
    if (this.#skips("?") && !this.#skips(":")) {
      this.#skips("P");
      if (!this.#skips("<")) throw new Unknown();
      const name = this.#chars.slice(this.#at).join("").split(">")[0] ?? "";
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new Unknown();
      this.#at += name.length + 1;
    }
    const inner = this.#choice();
    if (this.#next() !== ")") throw new Unknown();
    return inner;
  }

  #escape(): Regex {
    const char = this.#peek();
    if (char === "b" || char === "B") {
      this.#at++;
      if (this.#peek() === "{") throw new Unknown();
      return { type: char === "b" ? "boundary" : "no boundary" };
    }
    const item = this.#escaped();
    return "perl" in item
      ? { type: "class", negated: false, items: [item] }
      : { type: "literal", char: item.from };
  }

  /** What stands after a backslash, inside and outside of a class. */
  #escaped(): ClassItem {
    const char = this.#next();
    if ("dswDSW".includes(char)) return { perl: char.toLowerCase() as "d" | "s" | "w", negated: char < "a" };
    const control = CONTROLS[char];
    if (control !== undefined) return { from: control, to: control };
    // Rust's is_escapeable_character(), without the characters that only some versions accept.
    if (!/[\\.+*?()|[\]{}^$#&~/"':,=!@%;-]/.test(char)) throw new Unknown();
    return { from: char, to: char };
  }

  #class(): Regex {
    const negated = this.#skips("^");
    const items: ClassItem[] = [];
    if (this.#peek() === "]" || this.#peek() === "-") items.push(this.#only(this.#next()));
    for (let char = this.#next(); char !== "]"; char = this.#next()) {
      // A nested class, or a set operation.
      if (char === "[" || ("&-~".includes(char) && this.#peek() === char)) throw new Unknown();
      const item = char === "\\" ? this.#escaped() : this.#only(char);
      items.push(this.#range(item));
    }
    return { type: "class", negated, items };
  }

  #range(item: ClassItem): ClassItem {
    if (this.#peek() !== "-" || this.#peek(1) === "]" || this.#peek(1) === "-") return item;
    this.#at++;
    const char = this.#next();
    const end = char === "\\" ? this.#escaped() : this.#only(char);
    if ("perl" in item || "perl" in end || char === "[") throw new Unknown();
    const [from, to] = [item.from, end.to];
    if ((from.codePointAt(0) ?? 0) > (to.codePointAt(0) ?? 0)) throw new Unknown();
    return { from, to };
  }

  #only(char: string): ClassItem {
    return { from: char, to: char };
  }
}

export type CaseMode = "smart" | "sensitive" | "insensitive";

/** Whether ripgrep ignores the case: `smart` does unless a literal of some pattern is uppercase (grep-regex, AstAnalysis). */
export function ignoresCase(mode: CaseMode, regexes: readonly Regex[]): boolean {
  if (mode !== "smart") return mode === "insensitive";
  const literals = regexes.flatMap(literalsOf);
  return literals.length > 0 && !literals.some((char) => /\p{Uppercase}/u.test(char));
}

function literalsOf(regex: Regex): string[] {
  if (regex.type === "literal") return [regex.char];
  if (regex.type === "class")
    return regex.items.flatMap((item) => ("perl" in item ? [] : [item.from, item.to]));
  if (regex.type === "repeat") return literalsOf(regex.part);
  return "parts" in regex ? regex.parts.flatMap(literalsOf) : [];
}
