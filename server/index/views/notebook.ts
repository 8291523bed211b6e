import { blank } from "./markup.ts";

/**
 * The code cells of a Jupyter notebook. nbformat writes each line of a cell as a JSON string on a line of its own, so a line of code has the
 * same number here as in the file. A cell in one string has no lines there, and is left out.
 */
export function notebookView(text: string): {
  code: string;
  kernel: string | undefined;
  partAt: (line: number) => string | undefined;
} {
  const { cells, kernel } = read(text);
  let code = "";
  const parts: { first: number; last: number; label: string }[] = [];
  let line = 1;
  let counted = 0;
  const lineAt = (index: number) => {
    for (let at = text.indexOf("\n", counted); at !== -1 && at < index; at = text.indexOf("\n", counted)) {
      counted = at + 1;
      line++;
    }
    return line;
  };
  for (const [n, { type, lines }] of cells.entries()) {
    const [first, last] = [lines[0], lines.at(-1)];
    if (type !== "code" || !first || !last) continue;
    const label = `cell ${n + 1}`;
    parts.push({ first: lineAt(first.start), last: lineAt(last.end), label });
    if (OTHER_LANGUAGE.test(text.slice(first.start, first.end))) continue;
    for (const { start, end } of lines) {
      const source = text.slice(start, end);
      code += blank(text.slice(code.length, start));
      code += COMMAND.test(source) ? blank(source) : decoded(source);
    }
  }
  code += blank(text.slice(code.length));
  return { code, kernel, partAt: (at) => parts.find(({ first, last }) => first <= at && at <= last)?.label };
}

/** Cells in another language than the kernel's, and lines for the shell or IPython. */
const OTHER_LANGUAGE = /^%%(?!time|timeit|capture|prun)/;
const COMMAND = /^\s*[%!?]/;

interface Cell {
  type: string;
  /** The lines of its source: the texts between the quotes. */
  lines: { start: number; end: number }[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs;

/** Reads the cells and the language of the kernel. What is not a notebook has no cells. */
function read(text: string): { cells: Cell[]; kernel: string | undefined } {
  const cells: Cell[] = [];
  let kernel: string | undefined;
  /** The keys from the root to the current value; "[]" for an element of an array. */
  const path: string[] = [];
  let expectsKey = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      path.push(token === "[" ? "[]" : "");
      expectsKey = token === "{";
      if (path.length === 3 && path.slice(0, 2).join("/") === "cells/[]") cells.push({ type: "", lines: [] });
    } else if (token === "}" || token === "]") {
      path.pop();
      expectsKey = false;
    } else if (token === ",") expectsKey = path.at(-1) !== "[]";
    else if (token === ":") expectsKey = false;
    else if (expectsKey) path[path.length - 1] = token.slice(1, -1);
    else {
      const place = path.join("/");
      const cell = cells.at(-1);
      if (place === "cells/[]/cell_type" && cell) cell.type = token.slice(1, -1);
      if (place === "cells/[]/source/[]" && cell)
        cell.lines.push({ start: index + 1, end: index + token.length - 1 });
      if (/^metadata\/(?:kernelspec\/language|language_info\/name)$/.test(place))
        kernel ??= token.slice(1, -1).toLowerCase();
    }
  }
  return { cells, kernel };
}

/** A JSON string as text of the same length: blanks fill what an escape is longer than its character. */
function decoded(source: string): string {
  return source.replace(/(?:\\")+|\\(?:u[0-9a-fA-F]{4}|.)/g, (sequence) => {
    if (sequence.startsWith('\\"')) return '"'.repeat(sequence.length / 2).padEnd(sequence.length);
    if (sequence === "\\\\") return " \\";
    return sequence === "\\t" ? "\t " : " ".repeat(sequence.length);
  });
}
