import type { Provider } from "oidc-provider";
import type { Person } from "../people.ts";
import type { Scope } from "../principal.ts";
import { OIDC_SCOPES } from "./resource.ts";
import { type OAuthStore, type RecordFilter, removeAll } from "./store.ts";

const MODEL = "Consent";
/** How long a consent is remembered, milliseconds. */
const REMEMBERED_MS = 180 * 86_400_000;

/** What a person allowed a client, to be asked no more. A program on the person's own computer is asked about each time all the same. */
export class Consents {
  readonly #store: OAuthStore;
  readonly #now: () => number;

  constructor(store: OAuthStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async remember(person: string, client: string, scopes: readonly Scope[]): Promise<void> {
    const expiresAt = this.#now() + REMEMBERED_MS;
    await this.#store.put({
      model: MODEL,
      id: idOf(person, client),
      payload: { scopes },
      person,
      client,
      expiresAt,
    });
  }

  /** @returns undefined when the person never allowed the client anything for good */
  async remembered(person: string, client: string): Promise<readonly Scope[] | undefined> {
    return (await this.#store.get(MODEL, idOf(person, client)))?.payload.scopes as Scope[] | undefined;
  }

  async forget(person: string, client: string): Promise<void> {
    await this.#store.remove(MODEL, idOf(person, client));
  }

  /** Of one person, or of one client. */
  async forgetAll(of: RecordFilter): Promise<void> {
    await removeAll(this.#store, MODEL, of);
  }
}

export interface GrantRequest {
  readonly person: Person;
  readonly client: string;
  readonly resource: string;
  /** The `scope` parameter as it was asked for. */
  readonly asked: readonly string[];
  /** What of the resource's scopes is allowed. */
  readonly allowed: readonly Scope[];
  /** What of them is not: the client is not to ask again at once. */
  readonly refused: readonly Scope[];
}

/** Makes a grant: one consent of one person to one client. @returns its id */
export async function makeGrant(provider: Provider, request: GrantRequest): Promise<string> {
  const grant = new provider.Grant({ accountId: request.person.id, clientId: request.client });
  const oidc = OIDC_SCOPES.filter((scope) => request.asked.includes(scope));
  if (oidc.length > 0) grant.addOIDCScope(oidc.join(" "));
  grant.addResourceScope(request.resource, request.allowed.join(" "));
  if (request.refused.length > 0) grant.rejectResourceScope(request.resource, request.refused.join(" "));
  return grant.save();
}

const idOf = (person: string, client: string) => `${person} ${client}`;
