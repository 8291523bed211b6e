import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Provider } from "oidc-provider";
import { Refusal } from "../../http/errors.ts";
import { Periodic } from "../../periodic.ts";
import type { EventOrigin } from "../event-origin.ts";
import type { AuthEvents } from "../events.ts";
import { originOf } from "../origin.ts";
import type { People } from "../people.ts";
import type { IdentityProviders } from "../upstream/identity-providers.ts";
import { revokeAccessTokens } from "./access-token-revocation.ts";
import { BrowserSessions } from "./browser-sessions.ts";
import { ClientDocuments, type DocumentFetch } from "./client-documents.ts";
import { Connections } from "./connections.ts";
import { Consents } from "./consents.ts";
import { Interactions } from "./interaction.ts";
import { type KeySet, loadKeys } from "./keys.ts";
import { createProvider } from "./provider.ts";
import { observeProvider } from "./provider-events.ts";
import { resourceOf } from "./resource.ts";
import { safeFetch } from "./safe-fetch.ts";
import type { OAuthStore } from "./store.ts";

/** How often the store is asked for revoked grants and new keys, milliseconds. */
const POLL_MS = 1_000;
const SWEEP_MS = 600_000;

export interface AuthorizationServerOptions {
  /** The public origin, without a trailing slash. */
  readonly issuer: string;
  /** Closed with the server. */
  readonly store: OAuthStore;
  readonly people: People;
  readonly events: AuthEvents;
  /** Sign-in with identity providers, beside this server's own people or instead of them. Default: none. */
  readonly identityProviders?: IdentityProviders | undefined;
  /** Whether one more client metadata document may be fetched for somebody at this address. Default: always. */
  readonly allowFetch?: (address: string) => Promise<boolean>;
  /** How metadata documents and key sets of clients are fetched. Default: safeFetch. */
  readonly fetch?: DocumentFetch;
  /** The store is another machine's, which can be away: the server starts without it, and has its keys when it is back. Default false. */
  readonly storeMayBeAway?: boolean;
  readonly now?: () => number;
  readonly onProblem?: (problem: Error) => void;
}

/**
 * The authorization server: its keys, its oidc-provider, and what the pages, the access token check and the operator's commands need of it.
 * Several instances share one store.
 */
export class AuthorizationServer {
  readonly issuer: string;
  readonly resource: string;
  readonly store: OAuthStore;
  readonly people: People;
  readonly events: AuthEvents;
  readonly identityProviders: IdentityProviders | undefined;
  readonly consents: Consents;
  readonly interactions: Interactions;
  readonly sessions: BrowserSessions;
  readonly connections: Connections;
  readonly #options: AuthorizationServerOptions;
  readonly #now: () => number;
  readonly #documents: ClientDocuments;
  readonly #poll: Periodic;
  readonly #sweep: Periodic;
  readonly #origins = new WeakMap<object, EventOrigin>();
  /** Grants whose refresh token came again within the grace, until the event about it is emitted. */
  readonly #graced = new Set<string>();
  #seen = -1;
  #keys: KeySet | undefined;
  #provider: Provider | undefined;
  #revoked: ReadonlySet<string> = new Set();

  private constructor(options: AuthorizationServerOptions) {
    const { issuer, store, people, events, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.issuer = issuer;
    this.resource = resourceOf(issuer);
    this.store = store;
    this.people = people;
    this.events = events;
    this.identityProviders = options.identityProviders;
    this.consents = new Consents(store, now);
    const fetch: DocumentFetch = options.fetch ?? ((url, limits) => safeFetch(url, limits));
    this.#documents = new ClientDocuments({ store, events, fetch, now });
    const provider = () => this.provider;
    this.interactions = new Interactions({
      provider,
      keys: () => this.keys,
      resource: this.resource,
      people,
      consents: this.consents,
      events,
    });
    this.sessions = new BrowserSessions({ provider, store, events, issuer, now });
    this.connections = new Connections({
      store,
      consents: this.consents,
      events,
      provider,
      now,
    });
    const onError = (error: Error) => options.onProblem?.(error);
    this.#poll = new Periodic({ everyMs: POLL_MS, round: () => this.refresh(), onError });
    this.#sweep = new Periodic({ everyMs: SWEEP_MS, round: () => store.sweep(), onError });
  }

  /** @throws when the store cannot be read and is not expected to come back by itself */
  static async start(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
    const server = new AuthorizationServer(options);
    await server.refresh().catch((error: Error) => {
      if (!options.storeMayBeAway) throw error;
      options.onProblem?.(new Error(`${NO_KEYS}: ${error.message}`));
    });
    server.#poll.start();
    server.#sweep.start();
    return server;
  }

  get provider(): Provider {
    if (!this.#provider) throw notStarted();
    return this.#provider;
  }

  get keys(): KeySet {
    if (!this.#keys) throw notStarted();
    return this.#keys;
  }

  /** @param id of a grant or an access token */
  isRevoked(id: string): boolean {
    return this.#revoked.has(id);
  }

  /** For the readiness probe. @throws while there are no keys */
  async check(): Promise<string> {
    if (!this.#keys) throw new Error(`${NO_KEYS} (${this.store.name})`);
    return this.store.name;
  }

  /** Takes in what other instances and commands changed: revoked grants, keys. Costs one look at a number when nothing did. */
  async refresh(): Promise<void> {
    const { store } = this;
    const changes = await store.changes();
    if (changes === this.#seen) return;
    const keys = await loadKeys(store);
    this.#revoked = await store.revoked();
    if (keys.signing[0]?.jwk.kid !== this.#keys?.signing[0]?.jwk.kid) this.#useKeys(keys);
    this.#seen = changes;
  }

  /** Notes where a request came from, for the events that oidc-provider causes. */
  noteOrigin(request: FastifyRequest, served: IncomingMessage): void {
    this.#origins.set(served, originOf(request));
  }

  async close(): Promise<void> {
    await this.#poll.stop();
    await this.#sweep.stop();
    await this.store.close();
  }

  #useKeys(keys: KeySet): void {
    const { issuer, resource, store, people, events, consents } = this;
    const rotated = this.#keys !== undefined;
    this.#keys = keys;
    this.#provider = createProvider({
      issuer,
      resource,
      keys,
      store,
      people,
      events,
      consents,
      documents: this.#documents,
      now: this.#now,
      confirm: async (person) => (await this.identityProviders?.confirm(person)) ?? true,
      allowFetch: async (ctx) =>
        (await this.#options.allowFetch?.(this.#origins.get(ctx.req)?.address ?? "")) ?? true,
      onGrace: (grant) => this.#graced.add(grant),
    });
    revokeAccessTokens(this.#provider, { keys, issuer, store, events });
    observeProvider(this.#provider, {
      events,
      origin: (raw) => this.#origins.get(raw) ?? {},
      wasGraced: (grant) => this.#graced.delete(grant),
      onServerError: (error) => this.#options.onProblem?.(error),
    });
    if (rotated) events.emit({ type: "keys.rotated", key: keys.signing[0]?.jwk.kid ?? "" });
  }
}

const NO_KEYS = "sign-in waits for its store, which has not answered since the start";

const notStarted = () => new Refusal(503, "Sign-in is not available yet. Try again in a moment.", 5);
