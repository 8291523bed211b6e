import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  ResponseBodyError,
  refreshTokenGrant,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from "openid-client";
import { groupsAreElsewhere, groupsOf, identityOf, type RawClaims } from "./claims.ts";
import { entraGroups } from "./entra-groups.ts";
import {
  type CheckToken,
  type Identified,
  type Identity,
  type Provider,
  ProviderDown,
  ProviderRefusal,
  type SignInRequest,
  type SignInWishes,
} from "./identity.ts";
import { messageOf, type ProviderFetch, providerFetch } from "./provider-fetch.ts";
import type { ProviderSettings } from "./settings.ts";

/** How long the provider's metadata is used, milliseconds. Keys are read again when a token names an unknown one. */
const METADATA_MS = 3_600_000;
/** By how much clocks may differ, seconds. */
const CLOCK_TOLERANCE = 30;

/** What the provider says of the person, not of this server's client (RFC 6749, section 5.2; OpenID Connect Core, section 3.1.2.6). */
const REFUSALS = new Set([
  "access_denied",
  "invalid_grant",
  "interaction_required",
  "login_required",
  "consent_required",
  "account_selection_required",
]);

type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers;

export interface OpenIdProviderOptions {
  readonly settings: ProviderSettings;
  readonly secret: string;
  /** Whether somebody's rights depend on groups: only then they are asked for where that takes more rights. */
  readonly needsGroups: boolean;
  readonly now?: () => number;
}

/** Any OpenID provider by discovery; Google and Entra are such with rules of their own (see claims.ts). */
export class OpenIdProvider implements Provider {
  readonly #options: OpenIdProviderOptions;
  readonly #fetch: ProviderFetch;
  readonly #now: () => number;
  #metadata: { readonly at: number; readonly configuration: Promise<Configuration> } | undefined;

  constructor(options: OpenIdProviderOptions) {
    this.#options = options;
    this.#fetch = providerFetch(options.settings.issuer);
    this.#now = options.now ?? Date.now;
  }

  async authorizationUrl(request: SignInRequest, { loginHint, otherAccount }: SignInWishes): Promise<URL> {
    const configuration = await this.#configuration();
    return buildAuthorizationUrl(configuration, {
      redirect_uri: request.redirectUri,
      scope: this.#scopes(configuration).join(" "),
      state: request.state,
      nonce: request.nonce,
      code_challenge: await calculatePKCECodeChallenge(request.verifier),
      code_challenge_method: "S256",
      ...this.#parameters(configuration, otherAccount),
      ...(loginHint ? { login_hint: loginHint } : {}),
    });
  }

  identify(request: SignInRequest, answer: URLSearchParams): Promise<Identified> {
    return asProviderError(async () => {
      const configuration = await this.#configuration();
      const url = new URL(`${request.redirectUri}?${answer}`);
      const tokens = await authorizationCodeGrant(configuration, url, {
        expectedState: request.state,
        expectedNonce: request.nonce,
        pkceCodeVerifier: request.verifier,
        idTokenExpected: true,
      });
      return this.#identified(configuration, tokens, undefined);
    });
  }

  check(token: CheckToken, before: Identity): Promise<Identified> {
    return asProviderError(async () => {
      const configuration = await this.#configuration();
      const tokens = await refreshTokenGrant(configuration, token.value);
      const checked = await this.#identified(configuration, tokens, before);
      return { ...checked, token: checked.token ?? token };
    });
  }

  async probe(): Promise<string> {
    const metadata = (await this.#configuration()).serverMetadata();
    return `discovery of ${metadata.issuer}`;
  }

  async #identified(
    configuration: Configuration,
    tokens: Tokens,
    before: Identity | undefined,
  ): Promise<Identified> {
    const claims = await this.#claims(configuration, tokens, before);
    const subject = String(claims.sub);
    if (before && before.subject !== subject) throw new Error("the refreshed ID token is of another person");
    const { settings } = this.#options;
    const identity = identityOf(settings, claims, subject, await this.#groups(claims, tokens.access_token));
    const { refresh_token: value } = tokens;
    return { identity, token: value === undefined ? undefined : { kind: "refresh", value } };
  }

  /** Of the ID token. A generic provider may tell the rest at its UserInfo endpoint (OpenID Connect Core, section 5.4). */
  async #claims(
    configuration: Configuration,
    tokens: Tokens,
    before: Identity | undefined,
  ): Promise<RawClaims & { sub: string }> {
    const { provider, groupsClaim } = this.#options.settings;
    const claims = tokens.claims();
    const subject = claims?.sub ?? before?.subject;
    if (subject === undefined) throw new Error("there is no ID token");
    const complete = claims?.email !== undefined && claims[groupsClaim] !== undefined;
    const more =
      !complete && (provider === "oidc" || !claims) && configuration.serverMetadata().userinfo_endpoint
        ? await fetchUserInfo(configuration, tokens.access_token, subject)
        : {};
    return { ...more, ...claims, sub: subject };
  }

  async #groups(claims: RawClaims, accessToken: string): Promise<string[]> {
    const { settings, needsGroups } = this.#options;
    if (settings.provider === "google") return [];
    // Where a distributed claim is kept is the token's word. Only Entra's place is known beforehand.
    if (settings.provider === "entra" && needsGroups && groupsAreElsewhere(claims))
      return entraGroups(accessToken, settings.graph);
    return groupsOf(claims[settings.provider === "entra" ? "groups" : settings.groupsClaim]);
  }

  #scopes(configuration: Configuration): string[] {
    const { provider, scopes } = this.#options.settings;
    const basic = ["openid", "profile", "email"];
    if (provider === "google") return basic;
    // Entra lists fewer scopes in its metadata than it knows. Microsoft Graph: getMemberObjects for the signed-in user.
    if (provider === "entra")
      return [...basic, "offline_access", ...(this.#options.needsGroups ? ["User.Read"] : [])];
    return [...new Set([...basic, ...scopes, ...(isOffline(configuration) ? ["offline_access"] : [])])];
  }

  #parameters(configuration: Configuration, otherAccount = false): Record<string, string> {
    const { provider, allow } = this.#options.settings;
    if (provider === "google") {
      const [only, ...others] = allow;
      const hint = others.length === 0 && only?.kind === "domain" ? { hd: only.value } : {};
      // Google gives a refresh token together with a consent only.
      return { access_type: "offline", prompt: "consent select_account", ...hint };
    }
    if (provider === "entra") return otherAccount ? { prompt: "select_account" } : {};
    // Not every provider knows select_account. OpenID Connect Core, section 11: offline access takes a consent.
    const prompt = [...(otherAccount ? ["login"] : []), ...(isOffline(configuration) ? ["consent"] : [])];
    return prompt.length === 0 ? {} : { prompt: prompt.join(" ") };
  }

  #configuration(): Promise<Configuration> {
    const now = this.#now();
    if (this.#metadata && now - this.#metadata.at < METADATA_MS) return this.#metadata.configuration;
    const configuration = asProviderError(() => this.#discover());
    const metadata = { at: now, configuration };
    this.#metadata = metadata;
    configuration.catch(() => {
      if (this.#metadata === metadata) this.#metadata = undefined;
    });
    return configuration;
  }

  async #discover(): Promise<Configuration> {
    const { settings, secret } = this.#options;
    const server = new URL(settings.issuer);
    const send = (url: string, init: { method: string; headers: Record<string, string>; body?: unknown }) =>
      this.#fetch(url, {
        method: init.method,
        headers: init.headers,
        ...(init.body == null ? {} : { body: String(init.body) }),
      });
    const secure = server.protocol === "https:" ? [] : [allowInsecureRequests];
    return discovery(
      server,
      settings.client,
      { client_secret: secret, [clockTolerance]: CLOCK_TOLERANCE },
      (metadata, client, body, headers) => {
        // Basic is the default (RFC 8414, section 2), but some providers decode it differently.
        const methods = metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
        const method = methods.includes("client_secret_post") ? ClientSecretPost : ClientSecretBasic;
        method(secret)(metadata, client, body, headers);
      },
      { execute: [...secure, enableNonRepudiationChecks], [customFetch]: send },
    );
  }
}

const isOffline = (configuration: Configuration) =>
  configuration.serverMetadata().scopes_supported?.includes("offline_access") ?? false;

/** The library's errors in our terms. Their messages hold no token. */
async function asProviderError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (let cause: unknown = error; cause; cause = (cause as Error).cause)
      if (cause instanceof ProviderDown || cause instanceof ProviderRefusal) throw cause;
    if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
      const text = `${error.error}${error.error_description ? `: ${error.error_description}` : ""}`;
      // Others are of this server's client, such as a secret that has expired: nothing that the person did.
      throw REFUSALS.has(error.error) ? new ProviderRefusal(text) : new ProviderDown(text);
    }
    throw new Error(messageOf(error as Error));
  }
}
