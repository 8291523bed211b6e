/** A match in the result of search_text. */
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

/** A line, or the lines of one match, as a search finds them. */
export interface FoundLines {
  readonly type: "match" | "context";
  readonly path: string;
  /** Number of the first line, 1-based. */
  readonly line: number;
  /** Without their line breaks. */
  readonly lines: readonly string[];
  /** Where the first match starts in the first line, 1-based. */
  readonly column: number;
}

export interface CollectorLimits {
  /** Lines of context before and after each match. */
  context: number;
  /** Matches. */
  max: number;
  /** Characters of all lines. */
  maxChars: number;
}

/** Of a longer line only the part around the match is given, characters. */
const MAX_LINE = 400;
/** Of a match with more lines only the first ones are given. */
const MAX_LINES = 50;

/** Collects matches with their context, file by file, until there are `max` of them, or `maxChars` characters. */
export class LineCollector {
  readonly matches: Match[] = [];
  /** True if `max` or `maxChars` left matches out. */
  truncated = false;
  readonly #context: number;
  readonly #max: number;
  #maxChars: number;
  /** Lines of the current file, by number. */
  #lines = new Map<number, string>();
  #open: Match[] = [];

  constructor({ context, max, maxChars }: CollectorLimits) {
    this.#context = context;
    this.#max = max;
    this.#maxChars = maxChars;
  }

  /** The lines of the next file follow. */
  startFile(): void {
    this.endFile();
    this.#lines = new Map();
  }

  /** Adds the next lines of the file. @returns false if no more is needed */
  add({ type, path, line, lines, column }: FoundLines): boolean {
    const shown = lines.slice(0, MAX_LINES).map((text, n) => windowOf(text, n === 0 ? column : 1));
    if (lines.length > MAX_LINES) shown.push("…");
    const text = shown.join("\n");
    this.#maxChars -= text.length;
    if (this.#maxChars < 0 || (type === "match" && this.matches.length === this.#max)) {
      this.truncated = true;
      this.endFile();
      return false;
    }
    for (const [n, one] of shown.entries()) this.#lines.set(line + n, one);
    if (type === "match") {
      const end = lines.length > 1 ? { end_line: line + lines.length - 1 } : {};
      const match = { path, line, ...end, column, text, before: [], after: [] };
      this.matches.push(match);
      this.#open.push(match);
    }
    return true;
  }

  /** Gives the matches of the file their context. */
  endFile(): void {
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

function windowOf(line: string, column: number): string {
  if (line.length <= MAX_LINE) return line;
  const start = Math.max(0, Math.min(column - 1 - MAX_LINE / 4, line.length - MAX_LINE));
  const end = start + MAX_LINE;
  return `${start > 0 ? "…" : ""}${line.slice(start, end)}${end < line.length ? "…" : ""}`;
}
