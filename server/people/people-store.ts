import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { type OAuthRecord, type OAuthStore, removeAll } from "../auth/oauth/store.ts";
import type { Person } from "../auth/people.ts";
import { SCOPES } from "../auth/principal.ts";

/** What a person may be called in a sign-in form: lower case, so that nobody can take another's login in other letters. */
export const LOGIN = /^[a-z0-9][a-z0-9._@+-]{0,63}$/;
/**
 * The login of a person who signs in with an identity provider: the provider, a colon, and what the provider vouches for. No local login has
 * a colon.
 */
export const PROVIDER_LOGIN = /^[a-z]{1,16}:[a-z0-9][a-z0-9._@+-]{0,253}$/;

/** Whether a person signs in here by themselves. A passkey or password here would outlive the account at an identity provider. */
export const isLocalPerson = ({ login }: { readonly login: string }): boolean => !PROVIDER_LOGIN.test(login);

/** Characters of a name for others to read. */
export const NAME_MAX = 100;
export const GROUP = /^[a-z0-9][a-z0-9_-]{0,63}$/;

const PERSON = "Person";
/** One for each login that is in use; its person's id. `add` makes it unique, also between machines. */
const LOGIN_MODEL = "PersonLogin";

const PersonSchema = z.object({
  login: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  scopes: z.array(z.enum(SCOPES)),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
});

export interface StoredPerson extends Person {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** All people are shown in one list; see LIST_LIMIT of the store. */
const MAX_PEOPLE = 1_000;

/** The models of a person's own records: they go when the person is removed or reset. */
export const CREDENTIALS = {
  password: "Password",
  totp: "Totp",
  recoveryCode: "RecoveryCode",
  passkey: "Passkey",
  passkeyState: "PasskeyState",
  link: "PersonLink",
  browser: "KnownBrowser",
  identity: "ProviderIdentity",
} as const;

/** Who the people are, in the store of the authorization server, which all instances share. */
export class PeopleStore {
  readonly store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number = Date.now) {
    this.store = store;
    this.#now = now;
  }

  async find(id: string): Promise<StoredPerson | undefined> {
    const record = await this.store.get(PERSON, id);
    return record && personOf(record);
  }

  async findByLogin(login: string): Promise<StoredPerson | undefined> {
    const known = normalLogin(login);
    if (known === undefined) return undefined;
    const record = await this.store.get(LOGIN_MODEL, known);
    return record?.person === undefined ? undefined : this.find(record.person);
  }

  /** By login. */
  async list(): Promise<StoredPerson[]> {
    const people = (await this.store.list(PERSON)).map(personOf);
    return people.sort((one, other) => (one.login < other.login ? -1 : 1));
  }

  /** @throws when the login is taken, or there are too many people */
  async add(person: Omit<Person, "id">): Promise<StoredPerson> {
    const { login, name, groups, scopes } = person;
    if (normalLogin(login) !== login) throw new Error(`"${login}" is no login`);
    if ((await this.store.count(PERSON)) >= MAX_PEOPLE)
      throw new Error(`There are ${MAX_PEOPLE} people already; remove somebody: user remove LOGIN`);
    const id = `p_${randomBytes(9).toString("base64url")}`;
    const createdAt = this.#now();
    const taken = { model: LOGIN_MODEL, id: login, payload: {}, person: id };
    if (!(await this.store.add(taken))) {
      if (await this.findByLogin(login))
        throw new Error(`There is a person "${login}" already; for a new link: user reset ${login}`);
      // An earlier `add` ended half-way.
      await this.store.put(taken);
    }
    const payload = { login, name, groups, scopes, createdAt };
    await this.store.put({ model: PERSON, id, payload, person: id });
    return { id, ...payload };
  }

  /** Name, groups and scopes; the login stays, so that grants and the audit log mean the same person. */
  async update(
    before: StoredPerson,
    { name, groups, scopes }: Pick<Person, "name" | "groups" | "scopes">,
  ): Promise<StoredPerson> {
    const { id, login, createdAt } = before;
    const person = { id, login, name, groups, scopes, createdAt };
    if (isDeepStrictEqual(person, before)) return before;
    const { id: _, ...payload } = person;
    await this.store.put({ model: PERSON, id, payload, person: id });
    return person;
  }

  /** From now on nobody finds the person. What the person connected must be cut off by the caller: see endAccess. */
  async remove({ id, login }: StoredPerson): Promise<void> {
    await this.store.remove(PERSON, id);
    await this.store.remove(LOGIN_MODEL, login);
    await this.removeCredentials(id);
  }

  /** Passwords, passkeys, codes and links. */
  async removeCredentials(id: string): Promise<void> {
    for (const model of Object.values(CREDENTIALS)) await removeAll(this.store, model, { person: id });
  }
}

/** As it is stored; undefined for what cannot be a login. */
function normalLogin(login: string): string | undefined {
  const known = login.trim().toLowerCase();
  return LOGIN.test(known) || PROVIDER_LOGIN.test(known) ? known : undefined;
}

function personOf({ id, payload }: OAuthRecord): StoredPerson {
  const parsed = PersonSchema.safeParse(payload);
  if (!parsed.success)
    throw new Error(`The stored person ${id} is malformed: ${z.prettifyError(parsed.error)}`);
  return { id, ...parsed.data };
}
