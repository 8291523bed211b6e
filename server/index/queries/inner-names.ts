import type { DatabaseSync } from "node:sqlite";
import { familyOf } from "../languages.ts";
import { bareName } from "../names.ts";
import type { Occurrence } from "../occurrences.ts";
import { prepared } from "../prepared.ts";
import { lastOf } from "./lexical-targets.ts";
import { SYMBOL_TABLES } from "./symbol-rows.ts";

/** A name that the index does not have: a parameter, a local variable, or a member of a type without a name. */
export interface InnerName {
  path: string;
  /** Lines that enclose all uses of a parameter or local variable. */
  from: number;
  to: number;
  /** The definition around it; undefined at the top level of a file. A constructor of Python is called by the name of its class. */
  around: { name: string; isFunction: boolean } | undefined;
}

/** What the imports of a file say. */
interface SeenFrom {
  path: string;
  isHome: boolean;
  /** Whether the file imports that of the definition. */
  sees: boolean;
  namesAround: boolean;
}

interface Row {
  bare: string;
  kind: string;
  parent: string;
  start_line: number;
  end_line: number;
}

/** @param holder the last qualifier of the question @param line of the name, 1-based */
export function innerName(
  db: DatabaseSync,
  {
    path,
    name,
    holder,
    line,
  }: { path: string; name: string; holder: string | undefined; line: number | undefined },
): InnerName {
  const columns = `SELECT bare, kind, parent, start_line, end_line ${SYMBOL_TABLES} WHERE files.path = ?`;
  const rows = (sql: string, ...values: (string | number)[]) =>
    prepared(db, `${columns} AND ${sql}`).all(path, ...values) as unknown as Row[];
  const around =
    line === undefined
      ? []
      : rows(
          "start_line <= ? AND end_line >= ? AND bare <> ? ORDER BY end_line - start_line",
          line,
          line,
          name,
        );
  const inFunction = around.find(({ kind }) => isFunction(kind));
  const named = holder === undefined ? [] : rows("bare = ?", bareName(holder));
  const lines = inFunction ? [inFunction] : named;
  const outer = around[0] ?? named[0];
  return {
    path,
    from: lines.length === 0 ? 1 : Math.min(...lines.map(({ start_line }) => start_line)),
    to: lines.length === 0 ? Number.MAX_SAFE_INTEGER : Math.max(...lines.map(({ end_line }) => end_line)),
    around: outer && {
      name: outer.bare === "__init__" ? lastOf(outer.parent) : outer.bare,
      isFunction: isFunction(outer.kind),
    },
  };
}

const isFunction = (kind: string) => kind === "function" || kind === "method";

export const isMemberForm = ({ context }: Occurrence) =>
  context?.form === "member" || context?.form === "key";

/** A parameter or local variable: its function, and in Python the calls that name the argument. */
export function countsInFunction(
  { from, to, path, around }: InnerName,
  file: SeenFrom,
  use: Occurrence,
): boolean {
  if (!isMemberForm(use)) return file.path === path && use.line >= from && use.line <= to;
  return (
    familyOf(path) === "python" &&
    around?.isFunction === true &&
    use.context?.form === "key" &&
    use.context.callee === around.name &&
    (file.isHome || file.sees)
  );
}

/**
 * A member of a type without a name, such as that of a parameter or a result: by what is called, where that is known, else in the files that
 * name the definition around it.
 *
 * @param type of the receiver, if it has a name
 */
export function countsAsInnerMember(
  { around, path, from, to }: InnerName,
  file: SeenFrom,
  use: Occurrence,
  type: string | undefined,
): boolean {
  const { context } = use;
  // Elsewhere such a type is that of a local variable.
  if (familyOf(path) !== "ecmascript")
    return file.path === path && use.line >= from && use.line <= to && isMemberForm(use);
  if (!context || context.form === "plain" || type !== undefined) return false;
  if (!file.isHome && !file.namesAround) return false;
  const { form, callee, receiverCall } = context;
  const called = form === "member" ? receiverCall : (callee ?? receiverCall);
  return called === undefined || around?.isFunction !== true || called === around.name;
}
