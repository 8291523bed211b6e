import type { LineRegex } from "./javascript.ts";
import type { FoundLines } from "./line-collector.ts";

/** A line with a match. Offsets are in UTF-16 units. */
export interface MatchedLine {
  readonly start: number;
  /** Before the line break. */
  readonly end: number;
  /** Where the first match starts, from the start of the line. */
  readonly at: number;
}

/** @returns undefined if a line is too long for the expression */
export function matchLines(
  text: string,
  { regex, fromStart, maxLine }: LineRegex,
): MatchedLine[] | undefined {
  if (text.length > maxLine && longestLine(text) > maxLine) return undefined;
  const found: MatchedLine[] = [];
  regex.lastIndex = 0;
  for (let match = regex.exec(text); match; match = regex.exec(text)) {
    const start = match.index === 0 ? 0 : text.lastIndexOf("\n", match.index - 1) + 1;
    const newline = text.indexOf("\n", match.index);
    const next = newline === -1 ? text.length : newline + 1;
    const end = newline === -1 ? next : newline - (text[newline - 1] === "\r" ? 1 : 0);
    found.push({ start, end, at: fromStart ? 0 : match.index - start });
    if (next >= text.length) break;
    regex.lastIndex = next;
  }
  return found;
}

function longestLine(text: string): number {
  let longest = 0;
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    longest = Math.max(longest, end - start);
    start = end + 1;
  }
  return longest;
}

/** The matched lines and those around them in the order of the file, as ripgrep prints them. */
export function* withContext(
  path: string,
  text: string,
  matched: readonly MatchedLine[],
  context: number,
): Generator<FoundLines> {
  let line = 1;
  let counted = 0;
  /** The first line that is not given yet. */
  let next = 1;
  for (const [n, { start, end, at }] of matched.entries()) {
    line += newlines(text, counted, start);
    counted = start;
    let from = Math.max(next, line - context);
    let offset = start;
    for (let back = line; back > from; back--) offset = lineBefore(text, offset);
    for (; from < line; from++) {
      yield contextLine(path, text, offset, from);
      offset = lineAfter(text, offset);
    }
    yield { type: "match", path, line, lines: [text.slice(start, end)], column: at + 1 };
    next = line + 1;
    offset = lineAfter(text, start);
    const until = matched[n + 1]?.start ?? text.length;
    for (; next <= line + context && offset < until; next++) {
      yield contextLine(path, text, offset, next);
      offset = lineAfter(text, offset);
    }
  }
}

function contextLine(path: string, text: string, start: number, line: number): FoundLines {
  const end = lineAfter(text, start);
  const lines = [text.slice(start, end).replace(/\r?\n$/, "")];
  return { type: "context", path, line, lines, column: 1 };
}

/** Where the next line starts, or the end of the text. */
function lineAfter(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  return newline === -1 ? text.length : newline + 1;
}

/** Where the line before the one at `start` starts. */
function lineBefore(text: string, start: number): number {
  return start < 2 ? 0 : text.lastIndexOf("\n", start - 2) + 1;
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
