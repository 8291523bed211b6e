import type { DatabaseSync, StatementSync } from "node:sqlite";

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/**
 * A statement that a connection keeps: to prepare one takes longer than most of the queries. For a text that is written in the code, so that
 * their number is bounded, and for `get`, `all` and `run`, which end before they return.
 */
export function prepared(db: DatabaseSync, sql: string): StatementSync {
  const ofDatabase = statements.get(db) ?? new Map<string, StatementSync>();
  statements.set(db, ofDatabase);
  const statement = ofDatabase.get(sql) ?? db.prepare(sql);
  ofDatabase.set(sql, statement);
  return statement;
}
