import type { SignInMethod } from "./events.ts";
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
  /** Takes as long for a login that does not exist. @throws Refusal while the login is delayed for this source */
  signIn(attempt: PasswordAttempt): Promise<SignedIn | undefined>;
  /** @param page an id that only this browser knows @returns for the browser's authenticator, JSON */
  passkeyOptions(page: string): Promise<string>;
  /** @param answer of the authenticator to the last options for this page, which are used up; JSON */
  signInByPasskey(page: string, answer: string): Promise<SignedIn | undefined>;
  /** @returns the source of its attempts (see PasswordAttempt), when the person of this login signed in before in this browser */
  knownBrowser(secret: string, login: string): Promise<string | undefined>;
  /** @returns the secret for a new known browser */
  rememberBrowser(person: string): Promise<string>;
}

/** What somebody typed into the sign-in form. */
export interface PasswordAttempt {
  readonly login: string;
  readonly password: string;
  /** From an authenticator app, or a recovery code. */
  readonly code: string;
  /** What failed attempts are counted by: the network, or a browser that is known as this person's. */
  readonly source: string;
}

/** A person who proved who they are. */
export interface SignedIn {
  readonly person: Person;
  readonly how: SignInMethod;
}
