import type { Sink } from "./run.ts";

/** One match in the result of search_text. */
export interface Match {
  path: string;
  line: number;
  /** In characters, 1-based. */
  column: number;
  /** Last line of a match with several lines. */
  end_line?: number;
  text: string;
  before: string[];
  after: string[];
}

/** Of a longer line only the part around the match is given, characters. */
const MAX_LINE = 400;
/** Of a match with more lines only the first ones are given. */
const MAX_LINES = 50;

type RgText = { text: string } | { bytes: string };
interface RgLine {
  path: RgText;
  lines: RgText;
  line_number: number;
  submatches: { start: number }[];
}
type RgMessage = { type: "match" | "context"; data: RgLine } | { type: "begin" | "end" | "summary" };

/**
 * Parses the output of `rg --json` as it arrives. Collects matches with their context until there are `max` of them, or `maxChars`
 * characters.
 */
export class MatchCollector implements Sink {
  readonly matches: Match[] = [];
  /** True if `max` or `maxChars` left matches out. */
  truncated = false;
  readonly #context: number;
  readonly #max: number;
  #maxChars: number;
  #rest = "";
  #decoder = new TextDecoder();
  /** Lines of the current file, by number. */
  #lines = new Map<number, string>();
  #open: Match[] = [];

  constructor(options: { context: number; max: number; maxChars: number }) {
    this.#context = options.context;
    this.#max = options.max;
    this.#maxChars = options.maxChars;
  }

  /** @returns false if no more is needed */
  feed(chunk: Buffer, shows: (path: string) => boolean): boolean {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    let end = this.#rest.indexOf("\n");
    let start = 0;
    while (end !== -1) {
      const message = messageOf(this.#rest.slice(start, end));
      if (message && !this.#message(message, shows)) return false;
      start = end + 1;
      end = this.#rest.indexOf("\n", start);
    }
    this.#rest = this.#rest.slice(start);
    return true;
  }

  /** Gives the matches of the last file their context. Call it once, at the end of the output. */
  finish(): Match[] {
    this.#fill();
    return this.matches;
  }

  #message(message: RgMessage, shows: (path: string) => boolean): boolean {
    if (message.type === "begin") this.#lines = new Map();
    else if (message.type === "end") this.#fill();
    else if (message.type === "match" || message.type === "context")
      return this.#line(message.type, message.data, shows);
    return true;
  }

  #line(type: "match" | "context", data: RgLine, shows: (path: string) => boolean): boolean {
    const path = textOf(data.path).replace(/^\.\//, "");
    if (!shows(path)) return true;
    const start = Buffer.from(textOf(data.lines))
      .subarray(0, data.submatches[0]?.start ?? 0)
      .toString();
    const lines = textOf(data.lines)
      .replace(/\r?\n$/, "")
      .split(/\r?\n/);
    const column = start.length + 1;
    const shown = lines.slice(0, MAX_LINES).map((line, n) => windowOf(line, n === 0 ? column : 1));
    if (lines.length > MAX_LINES) shown.push("…");
    const text = shown.join("\n");
    this.#maxChars -= text.length;
    if (this.#maxChars < 0 || (type === "match" && this.matches.length === this.#max)) {
      this.truncated = true;
      this.#fill();
      return false;
    }
    for (const [n, line] of shown.entries()) this.#lines.set(data.line_number + n, line);
    if (type === "match") {
      const line = data.line_number;
      const end = lines.length > 1 ? { end_line: line + lines.length - 1 } : {};
      const match = { path, line, ...end, column, text, before: [], after: [] };
      this.matches.push(match);
      this.#open.push(match);
    }
    return true;
  }

  #fill(): void {
    for (const match of this.#open) {
      match.before = this.#between(match.line - this.#context, match.line - 1);
      const last = match.end_line ?? match.line;
      match.after = this.#between(last + 1, last + this.#context);
    }
    this.#open = [];
  }

  #between(from: number, to: number): string[] {
    const found: string[] = [];
    for (let n = from; n <= to; n++) {
      const line = this.#lines.get(n);
      if (line !== undefined) found.push(line);
    }
    return found;
  }
}

/** @returns undefined for a line that is not a message: RIPGREP_PATH may name a wrapper with output of its own */
function messageOf(line: string): RgMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as RgMessage;
  } catch {
    return undefined;
  }
}

/** ripgrep encodes a name or line that is not UTF-8 as base64. */
function textOf(value: RgText): string {
  return "text" in value ? value.text : Buffer.from(value.bytes, "base64").toString("utf8");
}

function windowOf(line: string, column: number): string {
  if (line.length <= MAX_LINE) return line;
  const start = Math.max(0, Math.min(column - 1 - MAX_LINE / 4, line.length - MAX_LINE));
  const end = start + MAX_LINE;
  return `${start > 0 ? "…" : ""}${line.slice(start, end)}${end < line.length ? "…" : ""}`;
}

/** The result of one run of a search. If it is truncated, it has the first matches in the order of the paths. */
export interface Part {
  matches: readonly Match[];
  truncated: boolean;
}

/** The first `max` matches of several runs over different files, in the order of `--sort=path`. */
export function merged(parts: readonly Part[], max: number): { matches: Match[]; truncated: boolean } {
  const all = parts.flatMap((part) => part.matches).sort(byPlace);
  // A truncated run lacks matches beyond its last one, so those of the other runs there are not complete either.
  const ends = parts.flatMap((part) => (part.truncated ? [[...part.matches].sort(byPlace).at(-1)] : []));
  const complete = all.filter((match) => ends.every((end) => end !== undefined && byPlace(match, end) <= 0));
  return {
    matches: complete.slice(0, max),
    truncated: complete.length < all.length || complete.length > max || ends.length > 0,
  };
}

const byPlace = (a: Match, b: Match) => byPath(a.path, b.path) || a.line - b.line;

/** The order of `--sort=path`: folder by folder, each by name. */
function byPath(a: string, b: string): number {
  if (a === b) return 0;
  const one = a.split("/");
  const other = b.split("/");
  for (const [n, part] of one.entries()) {
    const against = other[n] ?? "";
    if (part !== against) return part < against ? -1 : 1;
  }
  return -1;
}
