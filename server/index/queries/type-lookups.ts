import type { DatabaseSync } from "node:sqlite";
import { bareName } from "../names.ts";
import { returnType } from "../receiver-type.ts";
import type { UseContext } from "../use-context.ts";
import { SYMBOL_TABLES } from "./symbol-rows.ts";

/** A type that this repository does not define. */
export const FOREIGN = "?";
/** Kinds of symbols that have members. */
const TYPES = "'class', 'interface', 'struct', 'enum', 'trait', 'type', 'module'";

/** Deepest hierarchy of types that is followed. */
const MAX_BASES = 8;

/** Knows the bases of a type by the names in its declaration. */
export function baseFinder(db: DatabaseSync): (type: string, bases: ReadonlySet<string>) => boolean {
  const declared = db.prepare(
    `SELECT signature FROM symbols WHERE bare = ?1 COLLATE NOCASE AND bare = ?1 AND kind IN (${TYPES}) LIMIT 5`,
  );
  const known = new Map<string, string[]>();
  const basesOf = (type: string) => {
    const before = known.get(type);
    if (before) return before;
    const rows = declared.all(type);
    const names = rows.flatMap((row) => String(row.signature).match(/\p{Lu}[\p{L}\p{N}_$]*/gu) ?? []);
    const bases = names.filter((name) => name !== type);
    known.set(type, bases);
    return bases;
  };
  const derives = (type: string, bases: ReadonlySet<string>, depth = MAX_BASES): boolean =>
    depth > 0 && basesOf(type).some((base) => bases.has(base) || derives(base, bases, depth - 1));
  return (type, bases) => derives(type, bases);
}

/** Finds the type of a receiver: the one that its declaration names, or that of the result of the function that it names. */
export function typeFinder(
  db: DatabaseSync,
  family: string | undefined,
): (context: UseContext) => string | undefined {
  const isDefined = db.prepare(
    `SELECT 1 FROM symbols WHERE bare = ?1 COLLATE NOCASE AND bare = ?1 AND kind IN (${TYPES}) LIMIT 1`,
  );
  const functions = db.prepare(
    "SELECT signature FROM symbols WHERE bare = ?1 COLLATE NOCASE AND bare = ?1 AND kind IN ('function', 'method') LIMIT 5",
  );
  const known = new Map<string, string | undefined>();
  const resolve = (key: string, find: () => string | undefined) => {
    if (!known.has(key)) known.set(key, find());
    return known.get(key);
  };
  const ofType = (type: string): string | undefined =>
    resolve(`type ${type}`, () => (isDefined.get(type) ? type : (ofCall(type) ?? FOREIGN)));
  const ofCall = (name: string): string | undefined =>
    resolve(`call ${name}`, () => {
      const types = functions.all(name).map(({ signature }) => returnType(String(signature), family));
      const [type] = types;
      return type !== undefined && types.every((other) => other === type) ? ofType(type) : undefined;
    });
  return ({ receiverType, receiverCall }) =>
    receiverType !== undefined
      ? ofType(receiverType)
      : receiverCall === undefined
        ? undefined
        : ofCall(receiverCall);
}

/** The name, if a file has a type with it. */
export function typeNamed(db: DatabaseSync, path: string, name: string): string | undefined {
  const sql = `SELECT 1 ${SYMBOL_TABLES} WHERE files.path = ? AND bare = ? AND kind IN (${TYPES}) LIMIT 1`;
  return db.prepare(sql).get(path, bareName(name)) ? name : undefined;
}
