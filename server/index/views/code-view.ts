import { type Language, languageOf } from "../languages.ts";
import { markupView } from "./markup.ts";
import { notebookView } from "./notebook.ts";
import { repaired } from "./repaired.ts";
import { sqlView } from "./sql.ts";

/**
 * The code in a file of another format. Its text has the length and the line breaks of the file, with blanks instead of everything else, so
 * each place in one is the same place in the other.
 */
export interface CodeView {
  text: string;
  language: Language;
  /** The part of a line's file that users know it by: "cell 3". Line 1-based. */
  partAt?: (line: number) => string | undefined;
}

/** What the parser reads of a file: the whole text, or the scripts of a page, or the code cells of a notebook, or SQL without comments and strings. */
export function codeView(text: string, language: Language): CodeView {
  if (language.container === "markup") {
    const { code, isJsx } = markupView(text, language.name);
    return { text: code, language: (isJsx && languageOf("a.tsx")) || language };
  }
  if (language.isScanned) return { text: sqlView(text), language };
  if (language.container !== "notebook") return { text: repaired(text, language), language };
  const { code, kernel, partAt } = notebookView(text);
  const other = kernel === undefined ? undefined : languageOf(`a.${KERNELS[kernel] ?? ""}`);
  return { text: code, language: other ?? language, partAt };
}

/** File name extensions of the languages of notebooks; the default is Python. */
const KERNELS: Record<string, string> = {
  r: "r",
  scala: "scala",
  javascript: "js",
  typescript: "ts",
  go: "go",
  rust: "rs",
  ruby: "rb",
  bash: "sh",
  kotlin: "kt",
  "c#": "cs",
  java: "java",
};
