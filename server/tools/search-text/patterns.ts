import { ToolError } from "../../tool-error.ts";

/** A query in the form that ripgrep takes. */
export interface Patterns {
  /** Values of `--regexp`: a match of any of them counts. */
  readonly patterns: readonly string[];
  readonly regex: boolean;
  /** Whether a match may have several lines. */
  readonly multiline: boolean;
}

/**
 * The patterns for a query. Line breaks in it match LF and CRLF. Text with accents matches in both Unicode forms, composed and decomposed
 * (NFC, NFD): names of files and macOS write the one, keyboards the other.
 *
 * @param query literal text, or a regular expression in the syntax of Rust
 * @throws ToolError for NUL characters
 */
export function patternsOf(query: string, regex: boolean): Patterns {
  if (query.includes("\0"))
    throw new ToolError(`${JSON.stringify(query)} has a NUL character. No text file contains one.`);
  // A line break at the end comes with copied lines.
  const text = query.replace(/(?<=[^\r\n])(?:\r?\n)+$/, "");
  const forms = [...new Set([text, text.normalize("NFC"), text.normalize("NFD")])];
  const multiline = /[\r\n]/.test(text) || (regex && /\\n|\\r|\(\?[a-z]*s/.test(text));
  if (!multiline) return { patterns: forms, regex, multiline };
  return {
    patterns: forms.map((form) => (regex ? withLineBreaks(form) : literalLines(form))),
    regex: true,
    multiline,
  };
}

const literalLines = (text: string) => text.split(/\r?\n/).map(escaped).join("\\r?\\n");

/** Escapes text for a regular expression of Rust. */
const escaped = (text: string) => text.replace(/[\\.+*?()|[\]{}^$#&~-]/g, "\\$&");

/** Whether an expression looks for a CR itself, as in a search for files with CRLF. */
export const namesCarriageReturn = (patterns: readonly string[]) =>
  patterns.some((pattern) => /(?<!\\)(?:\\\\)*\\r(?!\?\\n)/.test(pattern));

/** A regular expression in which each `\n` outside of a class, and each line break, also matches CRLF. A `\r\n` stays. */
function withLineBreaks(regex: string): string {
  let inClass = false;
  return regex.replace(/\\r\\n|\\[\s\S]|\r?\n|[[\]]/g, (token) => {
    if (token === "[" || token === "]") inClass = token === "[";
    return !inClass && (token === "\\n" || token.endsWith("\n")) ? "\\r?\\n" : token;
  });
}
