import * as z from "zod";
import { KINDS } from "../../index/languages.ts";
import type { CallEntry, Direction } from "../../index/queries/call-tree.ts";
import { type FoundSymbol, namePath } from "../../index/queries/symbol-rows.ts";

/** A call in a tree of calls. */
export const callOutput = {
  level: z.int().describe("1 for a direct call."),
  path: z.string(),
  line: z.int().describe("Line of the definition."),
  name_path: z.string(),
  kind: z.enum(KINDS).describe("module: code outside of definitions."),
  calls_at: z.array(z.int()).describe("Lines of the calls, in the file of the caller."),
  text: z.string().describe("The first call of a caller, or the signature of a callee."),
};

export type CallItem = { [K in keyof typeof callOutput]: z.output<(typeof callOutput)[K]> };

/** A symbol on one line: `path:line: kind name_path`. */
export const describeSymbol = (symbol: FoundSymbol) =>
  `${symbol.path}:${symbol.line}: ${symbol.kind} ${namePath(symbol)}`;

/** Number of lines with calls that an entry has. */
const MAX_LINES = 10;

export function callItem({ symbol, level, lines, text }: CallEntry, direction: Direction): CallItem {
  return {
    level,
    path: symbol.path,
    line: symbol.line,
    name_path: namePath(symbol),
    kind: symbol.kind,
    calls_at: lines.slice(0, MAX_LINES),
    text: direction === "callers" ? text : symbol.signature,
  };
}

/** `path:line: text`, indented by its level: the place of the call for a caller, that of the definition for a callee. */
export function callLine(item: CallItem, direction: Direction): string {
  const { level, path, line, name_path, kind, calls_at, text } = item;
  const indent = "  ".repeat(level);
  const isModule = kind === "module" && path.endsWith(name_path);
  const [first = line, ...others] = calls_at;
  if (direction === "callees")
    return `${indent}${path}:${line}: ${text}  (${kind} ${name_path}; called at line ${calls_at.join(", ")})`;
  const where = [
    isModule ? "" : `in ${kind} ${name_path}`,
    others.length > 0 ? `also at line ${others.join(", ")}` : "",
  ].filter(Boolean);
  return `${indent}${path}:${first}: ${text}${where.length > 0 ? `  (${where.join("; ")})` : ""}`;
}
