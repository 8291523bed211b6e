import type { Scope } from "./principal.ts";

/** Somebody who may sign in. */
export interface Person {
  /** Stable, never reused: 1 to 64 of `A-Za-z0-9_-`. It is the `sub` of access tokens. */
  readonly id: string;
  /** What the person types to sign in. */
  readonly login: string;
  /** For others to read. */
  readonly name: string;
  readonly groups: readonly string[];
  /** The most that any client may be allowed in this person's name. */
  readonly scopes: readonly Scope[];
}

/**
 * The people who may sign in. Removed and locked people are not found, so their access tokens stop working at the next check (see
 * PersonCache: within two seconds).
 */
export interface People {
  find(id: string): Promise<Person | undefined>;
  findByLogin(login: string): Promise<Person | undefined>;
  /** The person, if `password` is theirs. Takes as long for a login that does not exist. */
  checkPassword(login: string, password: string): Promise<Person | undefined>;
}

/** Before anybody was added. */
export const NOBODY: People = {
  find: async () => undefined,
  findByLogin: async () => undefined,
  checkPassword: async () => undefined,
};
