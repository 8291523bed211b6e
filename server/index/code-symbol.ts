import { clip } from "../clip.ts";
import type { Kind } from "./languages.ts";

/** A definition in a file. Lines and columns are 1-based, columns in UTF-16 units. */
export interface CodeSymbol {
  name: string;
  kind: Kind;
  /** The enclosing symbols, outermost first, joined by "/"; "" at the top level. */
  parent: string;
  /** First line, with documentation, decorators, attributes and the type before its name. */
  start_line: number;
  /** Line and column of the name. */
  line: number;
  column: number;
  end_line: number;
  /** The declaration without its body, on one line. */
  signature: string;
}

/** Longest signature, characters. */
const MAX_SIGNATURE = 200;

/** A declaration on one line, without the sign that begins its body. */
export const shownSignature = (text: string) => oneLine(text, MAX_SIGNATURE).replace(/\s*[{:]$/, "");

export function oneLine(text: string, max: number): string {
  return clip(text.replace(/\s+/g, " ").trim(), max);
}
