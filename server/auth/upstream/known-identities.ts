import { createHash } from "node:crypto";
import * as z from "zod";
import { Refusal } from "../../http/errors.ts";
import {
  CREDENTIALS,
  type PeopleStore,
  PROVIDER_LOGIN,
  type StoredPerson,
} from "../../people/people-store.ts";
import type { OAuthRecord } from "../oauth/store.ts";
import type { Scope } from "../principal.ts";
import type { Identity } from "./identity.ts";
import { PROVIDERS, type ProviderKind } from "./settings.ts";

const MODEL = CREDENTIALS.identity;

/** Groups of a person that are kept; those that grants name are kept in any case. */
const MAX_GROUPS = 100;

const Payload = z.object({
  provider: z.enum(PROVIDERS),
  issuer: z.string(),
  subject: z.string(),
  user: z.string(),
  /** See SealedTokens. */
  token: z.string().optional(),
  /** When the provider vouched for the person last, milliseconds since 1970. */
  checkedAt: z.number(),
});

/** What is kept of a person who signs in with a provider, beside the person. */
export type KnownIdentity = z.output<typeof Payload>;

export interface KnownIdentitiesOptions {
  readonly directory: PeopleStore;
  /** Groups that GRANTS names, with the provider's prefix. */
  readonly grantedGroups: ReadonlySet<string>;
}

/**
 * Which person of this server is which person of a provider. The key is the issuer with the subject. An e-mail address never joins a person
 * of one provider with a person of another one or with a local person: addresses change their owners, and providers their care.
 */
export class KnownIdentities {
  readonly #options: KnownIdentitiesOptions;

  constructor(options: KnownIdentitiesOptions) {
    this.#options = options;
  }

  /** The person of an identity, brought up to date; a new one where the identity is new. @throws Refusal 403 */
  async personOf(
    provider: ProviderKind,
    identity: Identity,
    scopes: readonly Scope[],
    kept: { token: string | undefined; now: number },
  ): Promise<StoredPerson> {
    const { directory } = this.#options;
    const { store } = directory;
    const { issuer, subject, user, name } = identity;
    const id = idOf(issuer, subject);
    const before = await store.get(MODEL, id);
    const groups = this.#groups(provider, identity);
    const known = before?.person === undefined ? undefined : await directory.find(before.person);
    const person = known
      ? await directory.update(known, { name, groups, scopes })
      : await this.#add({ login: loginOf(provider, identity), name, groups, scopes });
    const token = kept.token ?? (known && payloadOf(before)?.token);
    const payload = { provider, issuer, subject, user, checkedAt: kept.now, ...(token ? { token } : {}) };
    await store.put({ model: MODEL, id, payload, person: person.id });
    return person;
  }

  /** @returns undefined for a local person */
  async find(person: string): Promise<KnownIdentity | undefined> {
    const [record] = await this.#options.directory.store.list(MODEL, { person });
    return payloadOf(record);
  }

  /** After the provider refused the person: nothing is left that could be checked. The person keeps the id, if they come back. */
  async forgetToken({ issuer, subject }: KnownIdentity): Promise<void> {
    const { store } = this.#options.directory;
    const record = await store.get(MODEL, idOf(issuer, subject));
    if (!record) return;
    const { token: _, ...payload } = record.payload;
    await store.put({ ...record, payload: { ...payload, checkedAt: 0 } });
  }

  async #add(person: Omit<StoredPerson, "id" | "createdAt">): Promise<StoredPerson> {
    const { directory } = this.#options;
    // GitHub's logins and e-mail addresses are given to somebody else one day.
    if (await directory.findByLogin(person.login))
      throw new Refusal(
        403,
        `Another account was known here as ${person.login}. If it was yours, ask the operator of this server to remove it: mcp-edge user remove ${person.login}`,
      );
    return directory.add(person);
  }

  #groups(provider: ProviderKind, { groups }: Identity): string[] {
    const all = [...new Set(groups.map((group) => `${provider}:${group}`))];
    const granted = all.filter((group) => this.#options.grantedGroups.has(group));
    const others = all.filter((group) => !this.#options.grantedGroups.has(group)).slice(0, MAX_GROUPS);
    return [...granted, ...others];
  }
}

/**
 * `github:octocat`, `google:ada@example.com`: no local login has a colon, so GRANTS can tell them apart. Only names that the provider vouches
 * for: what people call themselves (`preferred_username`) is not among them.
 */
function loginOf(provider: ProviderKind, { user, emails: [email], issuer, subject }: Identity): string {
  const login = `${provider}:${provider === "github" ? user : (email ?? subject)}`;
  // A subject may have capital letters. Two of them must not become one login.
  if (PROVIDER_LOGIN.test(login)) return login;
  return `${provider}:${createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 32)}`;
}

function payloadOf(record: OAuthRecord | undefined): KnownIdentity | undefined {
  return record && Payload.parse(record.payload);
}

const idOf = (issuer: string, subject: string) =>
  createHash("sha256").update(`${issuer}\n${subject}`).digest("base64url");
