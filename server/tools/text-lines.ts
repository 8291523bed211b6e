import { beginning, sizeOfText } from "../answer-size.ts";

export interface LineRange {
  /** First line, 1-based. */
  readonly from: number;
  /** Last line; undefined for the last line of the text. */
  readonly to: number | undefined;
  /** First character of the first line, 1-based, in UTF-16 units. Default: 1. */
  readonly column?: number;
}

/** The lines of a text without their line breaks (LF or CRLF). */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/**
 * A range of lines, as many whole lines as fit into `maxChars`. If the first line alone is longer, it is cut, and `next_column` is
 * where it continues. So each part of the longest line can be read.
 */
export function cut(text: string, { from, to, column = 1 }: LineRange, maxChars: number) {
  const lines = linesOf(text);
  const last = Math.min(to ?? lines.length, lines.length);
  const taken: string[] = [];
  let chars = 0;
  let next: { line: number; column: number | null } | undefined;
  for (let n = from; n <= last && !next; n++) {
    const line = (lines[n - 1] ?? "").slice(n === from ? column - 1 : 0);
    // The line break takes two characters of JSON.
    const cost = sizeOfText(line) + (taken.length > 0 ? 2 : 0);
    if (chars + cost <= maxChars) {
      chars += cost;
      taken.push(line);
      continue;
    }
    next = { line: n, column: null };
    if (taken.length > 0) break;
    // At least one character, whatever the limit, so that reading always advances.
    const part = beginning(line, maxChars) || [...line.slice(0, 2)].slice(0, 1).join("");
    taken.push(part);
    next.column = (n === from ? column : 1) + part.length;
  }
  return {
    total_lines: lines.length,
    end_line: from + taken.length - 1,
    truncated: next !== undefined,
    next_line: next?.line ?? null,
    next_column: next?.column ?? null,
    text: taken.join("\n"),
  };
}
