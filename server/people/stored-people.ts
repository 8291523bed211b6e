import type { OAuthStore } from "../auth/oauth/store.ts";
import type { PasswordAttempt, People, SignedIn } from "../auth/people.ts";
import { Failures } from "./failures.ts";
import { isKnownBrowser, KnownBrowsers } from "./known-browsers.ts";
import { Links } from "./links.ts";
import { Passkeys } from "./passkeys.ts";
import { Passwords } from "./passwords.ts";
import { PeopleStore } from "./people-store.ts";
import { RecoveryCodes } from "./recovery-codes.ts";
import { TotpCodes } from "./totp.ts";

/** Longest login that is looked at, characters; what is longer is nobody's. */
const TYPED_MAX = 256;

/** The people of the store, and how they prove who they are. */
export class StoredPeople implements People {
  readonly directory: PeopleStore;
  readonly links: Links;
  readonly passwords: Passwords;
  readonly totp: TotpCodes;
  readonly recoveryCodes: RecoveryCodes;
  readonly failures: Failures;
  readonly browsers: KnownBrowsers;
  readonly passkeys: Passkeys;
  readonly now: () => number;

  /** @param origin the public one of the server; passkeys belong to it */
  constructor(store: OAuthStore, origin: string, now: () => number = Date.now) {
    this.now = now;
    this.passkeys = new Passkeys(store, origin, now);
    this.directory = new PeopleStore(store, now);
    this.links = new Links(store, now);
    this.passwords = new Passwords(store);
    this.totp = new TotpCodes(store, now);
    this.recoveryCodes = new RecoveryCodes(store);
    this.failures = new Failures(store, now);
    this.browsers = new KnownBrowsers(store, now);
  }

  find(id: string) {
    return this.directory.find(id);
  }

  findByLogin(login: string) {
    return this.directory.findByLogin(login);
  }

  /**
   * The password together with a code: neither alone tells whether it is right. Somebody who has no password (passkeys alone) leaves it
   * empty and is let in by a recovery code, which nobody can guess.
   */
  async signIn({ login, password, code, source }: PasswordAttempt): Promise<SignedIn | undefined> {
    const typed = login.slice(0, TYPED_MAX).trim().toLowerCase();
    await this.failures.begin(typed, source);
    const person = await this.findByLogin(typed);
    // A flood of strangers' sign-ins does not hold up the browsers of people.
    const known = await this.passwords.check(person?.id, password, { first: isKnownBrowser(source) });
    if (!person) return undefined;
    const how = known ? await this.#second(person.id, code) : await this.#recover(person.id, password, code);
    if (!how) return undefined;
    await this.failures.succeeded(typed, source);
    // Somebody may have removed the person while the password was checked.
    const still = await this.find(person.id);
    return still && { person: still, how };
  }

  passkeyOptions(page: string): Promise<string> {
    return this.passkeys.authenticationOptions(page);
  }

  async signInByPasskey(page: string, answer: string): Promise<SignedIn | undefined> {
    const id = await this.passkeys.authenticate(page, answer);
    const person = id === undefined ? undefined : await this.find(id);
    return person && { person, how: "passkey" };
  }

  async knownBrowser(secret: string, login: string): Promise<string | undefined> {
    return this.browsers.find(secret, (await this.findByLogin(login))?.id);
  }

  rememberBrowser(person: string): Promise<string> {
    return this.browsers.add(person);
  }

  async #recover(person: string, password: string, code: string): Promise<SignedIn["how"] | undefined> {
    if (password !== "" || (await this.passwords.has(person))) return undefined;
    return (await this.recoveryCodes.use(person, code)) ? "recovery-code" : undefined;
  }

  async #second(person: string, code: string): Promise<SignedIn["how"] | undefined> {
    if (await this.totp.use(person, code)) return "password";
    return (await this.recoveryCodes.use(person, code)) ? "recovery-code" : undefined;
  }
}
