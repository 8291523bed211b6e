import { randomBytes } from "node:crypto";
import { interactionPolicy, type KoaContextWithOIDC, Provider } from "oidc-provider";
import { errorPage } from "../../pages/error.ts";
import type { AuthEvents } from "../events.ts";
import type { People, Person } from "../people.ts";
import { OFFERED_SCOPES } from "../principal.ts";
import { adapterFactory } from "./adapter.ts";
import type { ClientDocuments } from "./client-documents.ts";
import { type Consents, makeGrant } from "./consents.ts";
import { ROUTES, SIGN_IN_PATH } from "./discovery.ts";
import { type KeySet, SIGNING_ALG } from "./keys.ts";
import { OIDC_SCOPES, resourceScopes } from "./resource.ts";
import type { OAuthStore } from "./store.ts";

/** Lives, seconds. */
export const TTL = {
  /** Revocation is noticed within two seconds all the same; some clients refresh late or not at all. */
  accessToken: 3_600,
  /** Starts again with each refresh. */
  refreshToken: 60 * 86_400,
  code: 60,
  /** From the first page of a sign-in to the last. */
  interaction: 900,
  /** Of a browser. */
  session: 14 * 86_400,
  /** The longest that a client stays connected without a new consent. */
  grant: 400 * 86_400,
} as const;

export interface ProviderOptions {
  /** The public origin, such as `https://mcp.example.com`. */
  readonly issuer: string;
  readonly resource: string;
  readonly keys: KeySet;
  readonly store: OAuthStore;
  readonly documents: ClientDocuments;
  readonly consents: Consents;
  readonly people: People;
  readonly events: AuthEvents;
  readonly now: () => number;
  /** Whether a person may still have access; asked at each authorization and each refresh. */
  readonly confirm: (person: Person) => Promise<boolean>;
  /** Whether one more client metadata document may be fetched for this request. */
  readonly allowFetch: (ctx: KoaContextWithOIDC) => Promise<boolean>;
  /** A grant whose used refresh token came again within the grace. */
  readonly onGrace: (grant: string) => void;
}

/**
 * oidc-provider as MCP clients need it. It is recreated when the keys change.
 *
 * The resource's scopes are not listed as the provider's own: it would ask for consent to them again and again. `metadata.ts` publishes them.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer, resource, keys, store, documents, people, events } = options;
  const secure = issuer.startsWith("https:");
  const cookie = { httpOnly: true, sameSite: "lax", secure } as const;
  const provider = new Provider(issuer, {
    adapter: adapterFactory(store, {
      accessTokenMs: (TTL.accessToken + 60) * 1_000,
      now: options.now,
      onGrace: options.onGrace,
      onGrantRevoked: (grant) => events.emit({ type: "grant.revoked", grant, by: "client" }),
    }),
    jwks: { keys: keys.signing.map(({ jwk }) => jwk) },
    cookies: {
      keys: keys.cookies,
      // The others have the path of their one page, which `__Host-` forbids.
      names: {
        session: sessionCookie(issuer),
        interaction: `${secure ? "__Secure-" : ""}mcp_edge_interaction`,
        resume: `${secure ? "__Secure-" : ""}mcp_edge_resume`,
      },
      long: cookie,
      short: cookie,
    },
    routes: ROUTES,
    scopes: [...OIDC_SCOPES],
    claims: { openid: ["sub"] },
    responseTypes: ["code"],
    pkce: { required: () => true },
    clientAuthMethods: ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
    clientDefaults: {
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      id_token_signed_response_alg: SIGNING_ALG,
    },
    enabledJWA: {
      idTokenSigningAlgValues: [SIGNING_ALG],
      clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
    },
    ttl: {
      AccessToken: TTL.accessToken,
      RefreshToken: TTL.refreshToken,
      AuthorizationCode: TTL.code,
      IdToken: TTL.accessToken,
      Interaction: TTL.interaction,
      Session: TTL.session,
      Grant: TTL.grant,
    },
    // A client stays connected when its person signs out of the browser; `/account` ends it.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    // No cookies are read where a client's page may call.
    clientBasedCORS: () => true,
    extraTokenClaims: (_ctx, token) => ("grantId" in token ? { grant: token.grantId } : undefined),
    findAccount: async (_ctx, id) => {
      const person = await people.find(id);
      if (!person || !(await options.confirm(person))) return undefined;
      return { accountId: id, claims: async () => ({ sub: id }) };
    },
    interactions: {
      url: (_ctx, interaction) => `${SIGN_IN_PATH}/${interaction.uid}`,
      policy: signInPolicy(),
    },
    loadExistingGrant: (ctx) => existingGrant(provider, ctx, options),
    renderError: (ctx, out) => {
      const { headers, body } = errorPage(out.error, out.error_description);
      ctx.set(headers);
      ctx.body = body;
    },
    fetch: (url, init) => documents.fetch(String(url), init),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      registration: {
        enabled: true,
        initialAccessToken: false,
        issueRegistrationAccessToken: false,
        idFactory: () => `client_${randomBytes(16).toString("base64url")}`,
      },
      clientIdMetadataDocument: { enabled: true, ack: "draft-02", allowFetch: options.allowFetch },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new InvalidTarget(resource);
          return {
            scope: OFFERED_SCOPES.join(" "),
            audience: resource,
            accessTokenFormat: "jwt",
            accessTokenTTL: TTL.accessToken,
            jwt: { sign: { alg: SIGNING_ALG, kid: keys.signing[0]?.jwk.kid } },
          };
        },
      },
    },
  });
  // The edge, or this machine itself, says which scheme the client used; http/forwarded.ts has removed what others say.
  provider.proxy = true;
  return provider;
}

/** oidc-provider's own policy; and a browser in which a person is signed in who was removed since signs in again. */
function signInPolicy() {
  const { Check, base } = interactionPolicy;
  const policy = base();
  const removed = new Check("no_account", "the person is not known any more", ({ oidc }) =>
    oidc.session?.accountId && !oidc.account ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  policy.get("login")?.checks.add(removed);
  return policy;
}

/** The cookie of a browser in which somebody is signed in. */
export function sessionCookie(issuer: string): string {
  return issuer.startsWith("https:") ? "__Host-mcp_edge_session" : "mcp_edge_session";
}

/**
 * A grant for an authorization request: the one that the person just consented to, or a new one for what they allowed this client before.
 * Each authorization has its own grant, so that a client on one computer can be cut off without the same client on another.
 */
async function existingGrant(provider: Provider, ctx: KoaContextWithOIDC, options: ProviderOptions) {
  const { oidc } = ctx;
  const consented = oidc.result?.consent?.grantId;
  if (consented) return provider.Grant.find(consented);
  const { client, session, params } = oidc;
  if (!client || !session?.accountId || client.applicationType === "native") return undefined;
  const remembered = await options.consents.remembered(session.accountId, client.clientId);
  const person = remembered && (await options.people.find(session.accountId));
  if (!remembered || !person) return undefined;
  const asked = resourceScopes(params?.scope);
  const allowed = asked.filter((scope) => remembered.includes(scope) && person.scopes.includes(scope));
  if (allowed.length === 0 || asked.some((scope) => !remembered.includes(scope))) return undefined;
  const refused = asked.filter((scope) => !allowed.includes(scope));
  const grant = await makeGrant(provider, {
    person,
    client: client.clientId,
    resource: options.resource,
    asked: String(params?.scope ?? "").split(" "),
    allowed,
    refused,
  });
  return provider.Grant.find(grant);
}

class InvalidTarget extends Error {
  readonly error = "invalid_target";
  readonly error_description: string;
  readonly status = 400;
  readonly statusCode = 400;
  readonly expose = true;
  readonly allow_redirect = true;
  constructor(resource: string) {
    super("invalid_target");
    this.error_description = `the resource of this server is ${resource}`;
  }
}
