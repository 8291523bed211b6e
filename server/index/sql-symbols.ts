import { type CodeSymbol, shownSignature } from "./code-symbol.ts";
import type { Kind } from "./languages.ts";
import { lineOf, lineStarts } from "./lines-at.ts";
import { withLines } from "./occurrences.ts";

/** What a word after CREATE makes. */
const KINDS: Record<string, Kind> = {
  table: "struct",
  view: "struct",
  function: "function",
  procedure: "function",
  proc: "function",
  trigger: "function",
  type: "type",
  domain: "type",
  sequence: "variable",
  index: "rule",
  schema: "module",
  package: "module",
};

const NAME = String.raw`(?:"(?:[^"]|"")+"|\x60[^\x60]+\x60|\[[^\]\n]+\]|[\p{L}_#@][\p{L}\p{N}_$#@]*)`;
/** Between CREATE and the kind: OR REPLACE, TEMPORARY, MATERIALIZED, DEFINER=`root`@`%` … */
const MODIFIERS = String.raw`(?:(?!(?:${Object.keys(KINDS).join("|")})\b)[\p{L}_][^\s;()]*\s+){0,6}?`;
const AFTER = String.raw`(?:body\s+)?(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?`;
const NAMES = new RegExp(NAME, "gu");
const CREATE = new RegExp(
  String.raw`(?<![\p{L}\p{N}_$])create\s+${MODIFIERS}(?<kind>${Object.keys(KINDS).join("|")})\s+${AFTER}(?<name>${NAME}(?:\s*\.\s*${NAME}){0,3})`,
  "giu",
);
/** A line with which a client program sends what came before it: GO of SQL Server, / of Oracle. */
const SENT = /^[ \t]*(?:go|\/)[ \t]*$/gim;
const COLUMN = new RegExp(String.raw`^\s*(?<name>${NAME})\s*(?=$|[\p{L}"\[])`, "u");
/** What else a list of columns has. */
const NO_COLUMN =
  /^\s*(?:constraint|primary|foreign|unique|check|key|index|fulltext|spatial|exclude|like|period|partition|select|with|as)\b/i;

type Found = Omit<CodeSymbol, "line" | "column"> & { index: number };

/**
 * The definitions in SQL: what CREATE makes, and the columns of tables. The dialects differ in nearly everything else.
 *
 * @param code the file without comments and strings (views/sql.ts) @param text the same file with them @param max number of definitions
 */
export function sqlSymbols(code: string, text: string, max: number): CodeSymbol[] {
  const starts = lineStarts(text);
  const sent = [...code.matchAll(SENT)].map(({ index }) => index);
  const found: Found[] = [];
  for (const match of code.matchAll(CREATE)) {
    if (found.length >= max) break;
    const word = (match.groups?.kind ?? "").toLowerCase();
    const names = match.groups?.name?.match(NAMES) ?? [];
    const own = names.pop() ?? "";
    const from = match.index + match[0].length;
    const to = endOfStatement(code, from, sent.find((index) => index >= from) ?? code.length);
    const [name, parent] = [unquoted(own), names.map(unquoted).join("/")];
    found.push({
      index: from - own.length + (own === name ? 0 : 1),
      name,
      kind: KINDS[word] ?? "struct",
      parent,
      start_line: headLine(text, starts, lineOf(starts, match.index)),
      end_line: lineOf(starts, to),
      signature: shownSignature(text.slice(match.index, starts[lineOf(starts, match.index)])),
    });
    if (word !== "table") continue;
    const table = parent === "" ? name : `${parent}/${name}`;
    for (const { start, end, ...column } of columns(code, from, to)) {
      const lines = { start_line: lineOf(starts, start), end_line: lineOf(starts, end) };
      found.push({ ...column, kind: "field", parent: table, ...lines });
    }
  }
  const sorted = found.slice(0, max).sort((a, b) => a.index - b.index);
  return withLines(text, sorted).map(({ index: _, ...symbol }) => symbol);
}

/** `"a b"`, `[a b]` and the like. */
const unquoted = (name: string) => (/^["\x60[]/.test(name) ? name.slice(1, -1) : name);

/** The line of a statement, or that of the comments right above it. */
function headLine(text: string, starts: readonly number[], line: number): number {
  const isComment = (n: number) => /^[ \t]*--/.test(text.slice(starts[n - 1], starts[n]));
  let head = line;
  while (head > 1 && isComment(head - 1)) head--;
  return head;
}

/** The words that begin and end blocks, whose statements end with semicolons too. */
const BLOCK =
  /(?<![\p{L}\p{N}_$])(?:(?<end>end)(?:\s+(?:if|loop|while|repeat|for)\b(?<inner>))?|begin|case)(?![\p{L}\p{N}_$])|[;()]|\$\w*\$/giu;

/** The index of the semicolon of a statement. @param last where it ends at the latest */
function endOfStatement(code: string, from: number, last: number): number {
  let depth = 0;
  BLOCK.lastIndex = from;
  for (let match = BLOCK.exec(code); match && match.index < last; match = BLOCK.exec(code)) {
    const sign = match[0].toLowerCase();
    if (sign === ";" && depth <= 0) return match.index;
    if (sign.startsWith("$")) {
      // The body of a function.
      const close = code.indexOf(match[0], BLOCK.lastIndex);
      if (close !== -1) BLOCK.lastIndex = close + match[0].length;
    } else if (sign === "(" || sign === "begin" || sign === "case") depth++;
    else if (sign === ")") depth--;
    else if (match.groups?.end !== undefined && match.groups.inner === undefined) {
      depth--;
      // END CASE closes one block, not two.
      const rest = /^\s+case\b/i.exec(code.slice(BLOCK.lastIndex, BLOCK.lastIndex + 20));
      BLOCK.lastIndex += rest?.[0].length ?? 0;
    }
  }
  return last;
}

/** The columns in the parentheses of a table. */
function columns(code: string, from: number, to: number) {
  const open = code.indexOf("(", from);
  // `CREATE TABLE a AS SELECT f(b)` has no list of columns.
  if (open === -1 || open >= to || code.slice(from, open).trim() !== "") return [];
  return pieces(code, open + 1, to).flatMap(({ start, end }) => {
    const piece = code.slice(start, end);
    const own = NO_COLUMN.test(piece) ? undefined : COLUMN.exec(piece)?.groups?.name;
    if (own === undefined) return [];
    const name = unquoted(own);
    const index = start + piece.indexOf(own) + (own === name ? 0 : 1);
    const signature = shownSignature(piece);
    return [{ index, name, signature, start: index, end: start + piece.trimEnd().length }];
  });
}

/** What commas separate, up to the parenthesis that closes. */
function pieces(code: string, from: number, to: number): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = from;
  for (let at = from, depth = 0; at < to; at++) {
    const sign = code[at];
    if (sign === "(") depth++;
    else if (sign === "," && depth === 0) {
      found.push({ start, end: at });
      start = at + 1;
    } else if (sign === ")" && depth-- === 0) {
      found.push({ start, end: at });
      break;
    }
  }
  return found;
}
