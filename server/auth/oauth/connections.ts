import type { Provider } from "oidc-provider";
import type { EventOrigin } from "../event-origin.ts";
import { type AuthEvents, eventText } from "../events.ts";
import type { Scope } from "../principal.ts";
import { Consents } from "./consents.ts";
import { TTL } from "./provider.ts";
import { resourceScopes } from "./resource.ts";
import { type OAuthStore, type RecordFilter, removeAll } from "./store.ts";

/** A client that may act in a person's name: one grant. */
export interface Connection {
  readonly grant: string;
  readonly person: string;
  readonly client: string;
  readonly clientName: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970. */
  readonly since: number;
  /** When it got an access token last, milliseconds since 1970. */
  readonly lastUsedAt: number;
}

export interface ConnectionsOptions {
  readonly store: OAuthStore;
  readonly consents: Consents;
  readonly events: AuthEvents;
  readonly provider: () => Provider;
  readonly now: () => number;
}

/** What people have connected, and how it is cut off. All instances know within a second. */
export class Connections {
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** The newest first. */
  async list(person: string): Promise<Connection[]> {
    const { store } = this.#options;
    const [grants, tokens] = await Promise.all([
      store.list("Grant", { person }),
      store.list("RefreshToken", { person }),
    ]);
    const connections = grants.map(async ({ id, client = "", payload }): Promise<Connection> => {
      const { iat = 0, resources } = payload as { iat?: number; resources?: Record<string, string> };
      const used = tokens
        .filter((token) => token.grant === id)
        .map((token) => Number(token.payload.iat ?? 0));
      return {
        grant: id,
        person,
        client,
        clientName: await this.#nameOf(client),
        scopes: Object.values(resources ?? {}).flatMap(resourceScopes),
        since: iat * 1_000,
        lastUsedAt: Math.max(iat, ...used) * 1_000,
      };
    });
    return (await Promise.all(connections)).sort((one, other) => other.since - one.since);
  }

  /** Cuts one off, and asks for consent when this client comes again. @returns false when this person has no such connection */
  async revoke(person: string, grant: string, origin: EventOrigin = {}): Promise<boolean> {
    const { store, events, now } = this.#options;
    const record = await store.get("Grant", grant);
    if (record?.person !== person) return false;
    await store.revokeGrant(grant, accessEnds(now()));
    events.emit({ type: "grant.revoked", grant, by: "person", person }, origin);
    if (record.client !== undefined) await this.#options.consents.forget(person, record.client);
    return true;
  }

  /** For a person who was removed, or whose credentials were reset: every client, browser and remembered consent ends. */
  async revokeAll(person: string): Promise<void> {
    const { store, events, now } = this.#options;
    for (const grant of await endAccess(store, person, now()))
      events.emit({ type: "grant.revoked", grant, by: "operator" });
  }

  async #nameOf(client: string): Promise<string> {
    const found = await this.#options
      .provider()
      .Client.find(client)
      .catch(() => undefined);
    return eventText(found?.clientName ?? client);
  }
}

/**
 * Ends every client, browser session and remembered consent of a person, in the store that running servers share.
 *
 * @param now milliseconds since 1970
 * @returns the grants that were revoked
 */
export async function endAccess(store: OAuthStore, person: string, now: number): Promise<string[]> {
  const revoked = await revokeGrants(store, { person }, now);
  await removeAll(store, "Session", { person });
  await new Consents(store, () => now).forgetAll({ person });
  return revoked;
}

/**
 * Removes a client and everything that people allowed it, in the store that running servers share.
 *
 * @param now milliseconds since 1970
 * @returns the grants that were revoked; undefined for a client that nobody knows
 */
export async function removeClient(
  store: OAuthStore,
  client: string,
  now: number,
): Promise<string[] | undefined> {
  const record = await store.take("Client", client);
  const revoked = await revokeGrants(store, { client }, now);
  await new Consents(store, () => now).forgetAll({ client });
  return record || revoked.length > 0 ? revoked : undefined;
}

async function revokeGrants(store: OAuthStore, of: RecordFilter, now: number): Promise<string[]> {
  const revoked: string[] = [];
  // A list ends at LIST_LIMIT.
  for (;;) {
    const grants = await store.list("Grant", of);
    if (grants.length === 0) return revoked;
    for (const { id } of grants) await store.revokeGrant(id, accessEnds(now));
    revoked.push(...grants.map(({ id }) => id));
  }
}

/** When the last access token of a grant that is revoked now has ended. */
const accessEnds = (now: number) => now + (TTL.accessToken + 60) * 1_000;
