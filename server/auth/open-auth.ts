import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServerConfig } from "../config/config.ts";
import type { BucketStore } from "../http/limits/buckets.ts";
import { takeForNetwork } from "../http/limits/network-buckets.ts";
import { networkOf } from "../http/network.ts";
import type { Check } from "../http/readiness.ts";
import { registerAccount } from "../people/account-routes.ts";
import { registerBrowserSignIn } from "../people/browser-sign-in.ts";
import { registerCredentials } from "../people/credential-routes.ts";
import { registerPeople } from "../people/routes.ts";
import { StoredPeople } from "../people/stored-people.ts";
import type { AuthEvents } from "./events.ts";
import { anonymousAuthenticator } from "./guard.ts";
import { IssuerAuthenticator } from "./jwt/issuer-authenticator.ts";
import { AuthorizationServer } from "./oauth/authorization-server.ts";
import type { DocumentFetch } from "./oauth/client-documents.ts";
import { metadataUrl } from "./oauth/metadata.ts";
import { OAuthAuthenticator } from "./oauth/oauth-authenticator.ts";
import { openOAuthStore } from "./oauth/open-oauth-store.ts";
import { registerOAuth } from "./oauth/plugin.ts";
import { resourceOf } from "./oauth/resource.ts";
import type { People } from "./people.ts";
import type { Authenticator } from "./principal.ts";
import { registerResourceMetadata } from "./resource-metadata.ts";
import { TokenAuthenticator } from "./token-authenticator.ts";
import { TokenOr } from "./token-or.ts";
import { openIdentityProviders } from "./upstream/open-identity-providers.ts";
import { registerIdentityProviders } from "./upstream/routes.ts";

/** Client metadata documents that one network may make us fetch: at once, and a minute. Known ones are not fetched. */
const FETCHES = { atOnce: 10, perMinute: 10 } as const;

export interface OpenAuthOptions {
  readonly config: Pick<
    ServerConfig,
    | "authMode"
    | "publicUrl"
    | "tokensFile"
    | "tokenDomain"
    | "jwt"
    | "storeUrl"
    | "sessionsDir"
    | "identity"
    | "grants"
  >;
  /** Default: those in the store of the authorization server. */
  readonly people?: People | undefined;
  readonly events: AuthEvents;
  readonly buckets: BucketStore;
  /** Default: safeFetch. */
  readonly fetch?: DocumentFetch | undefined;
  readonly onProblem: (problem: Error) => void;
}

/** Everything that decides who may call. */
export interface Auth {
  /** For `/mcp`, `/api` and the operator's endpoints; by request, because the token domain takes static tokens only. */
  authenticator(request: FastifyRequest): Authenticator;
  /** For what has no request: open streams. */
  readonly everywhere: Authenticator;
  /** For `/mcp/token`; undefined in `none` mode. */
  readonly tokens: Authenticator | undefined;
  /** In `oauth` mode. */
  readonly server: AuthorizationServer | undefined;
  /** For the readiness probe. */
  readonly checks: readonly Check[];
  register(http: FastifyInstance, hosts: string[]): Promise<void>;
  close(): Promise<void>;
}

/** Puts the authenticators of the configured mode together. @throws when the store of the authorization server cannot be used */
export async function openAuth(options: OpenAuthOptions): Promise<Auth> {
  const { config, events, onProblem, buckets } = options;
  const { authMode, tokenDomain, tokensFile } = config;
  if (authMode === "none")
    return {
      authenticator: () => anonymousAuthenticator,
      everywhere: anonymousAuthenticator,
      tokens: undefined,
      server: undefined,
      checks: [],
      register: async () => undefined,
      close: async () => undefined,
    };
  const tokens = new TokenAuthenticator(tokensFile, { onProblem, events });
  const checks: Check[] = [{ name: "tokens", run: async () => `${await tokens.check()} in ${tokensFile}` }];
  const resource = config.publicUrl && resourceOf(config.publicUrl.origin);
  const server = authMode === "oauth" ? await openServer(options) : undefined;
  checks.push(...(server?.identityProviders?.checks ?? []));
  if (server) checks.push({ name: "sign-in", recovers: true, run: () => server.check() });
  const issued = resource && issuedTokens(options, resource, server);
  const everywhere = issued ? new TokenOr(tokens, issued) : tokens;
  const issuer = server?.issuer ?? config.jwt.issuer?.href.replace(/\/$/, "");
  return {
    authenticator: (request) =>
      tokenDomain !== undefined && request.hostname === tokenDomain ? tokens : everywhere,
    everywhere,
    tokens,
    server,
    checks,
    register: async (http, hosts) => {
      if (!issued || !issuer) return;
      registerResourceMetadata(http, { resource, issuer, events, tokenDomain });
      if (server)
        await registerOAuth(http, { server, buckets, hosts, tokenDomain, pages: peoplePages(buckets) });
    },
    close: async () => server?.close(),
  };
}

/** The pages of people: sign-in without a client, with providers, `/account` and, where the people are our own, enrolment and credentials. */
const peoplePages = (buckets: BucketStore) => (http: FastifyInstance, server: AuthorizationServer) => {
  const { people, identityProviders } = server;
  registerBrowserSignIn(http, server, buckets);
  registerAccount(http, server);
  if (identityProviders) registerIdentityProviders(http, server, identityProviders, buckets);
  if (!(people instanceof StoredPeople)) return;
  const enrolment = identityProviders?.localSignIn ?? true;
  registerPeople(http, { server, people, buckets, enrolment });
  registerCredentials(http, server, people);
};

function issuedTokens(
  { config, events, onProblem }: OpenAuthOptions,
  resource: string,
  server: AuthorizationServer | undefined,
): Authenticator | undefined {
  const shared = { metadataUrl: metadataUrl(resource), events };
  if (server)
    return new OAuthAuthenticator({
      ...shared,
      issuer: server.issuer,
      resource,
      keys: () => server.keys,
      isRevoked: (id) => server.isRevoked(id),
      people: server.people,
    });
  const { issuer, audience = resource, scopes, clockSkew } = config.jwt;
  const untypedAllowed = config.jwt.untypedAllowed === "yes";
  if (config.authMode !== "jwt" || !issuer) return undefined;
  return new IssuerAuthenticator({
    ...shared,
    issuer,
    audience,
    scopes,
    clockSkew,
    untypedAllowed,
    onProblem,
  });
}

async function openServer(options: OpenAuthOptions): Promise<AuthorizationServer> {
  const { config, events, buckets, fetch, onProblem } = options;
  if (!config.publicUrl) throw new Error("AUTH_MODE=oauth needs PUBLIC_URL");
  const { atOnce, perMinute } = FETCHES;
  const store = await openOAuthStore(config);
  const issuer = config.publicUrl.origin;
  const people = options.people ?? new StoredPeople(store, issuer);
  const { identity, grants } = config;
  return AuthorizationServer.start({
    issuer,
    store,
    people,
    identityProviders:
      people instanceof StoredPeople
        ? await openIdentityProviders({ identity, grants, issuer, people, events, onProblem })
        : undefined,
    storeMayBeAway: config.storeUrl !== undefined,
    events,
    allowFetch: async (address) =>
      (
        await takeForNetwork(buckets, {
          purpose: "client-document:",
          client: networkOf(address),
          capacity: atOnce,
          perSecond: perMinute / 60,
        })
      ).allowed,
    ...(fetch ? { fetch } : {}),
    onProblem,
  });
}
