import { createHash } from "node:crypto";
import * as z from "zod";
import { eventText } from "../events.ts";
import {
  type CheckToken,
  type Identified,
  type Provider,
  ProviderDown,
  ProviderRefusal,
  type SignInRequest,
  type SignInWishes,
} from "./identity.ts";
import { type ProviderFetch, providerFetch } from "./provider-fetch.ts";
import type { ProviderSettings } from "./settings.ts";

/** Organisations and teams that are read of one person: pages of 100. */
const MAX_PAGES = 10;
const PAGE = 100;

const Token = z.object({
  access_token: z.string().min(1).max(4_096).optional(),
  refresh_token: z.string().min(1).max(4_096).optional(),
  error: z.string().optional(),
});
const User = z.object({
  id: z.number().int().positive(),
  login: z.string().min(1),
  name: z.string().nullish(),
});
const Emails = z.array(z.object({ email: z.string(), verified: z.boolean(), primary: z.boolean() }));
const Organisations = z.array(z.object({ login: z.string() }));
const Teams = z.array(z.object({ slug: z.string(), organization: z.object({ login: z.string() }) }));

export interface GitHubProviderOptions {
  readonly settings: ProviderSettings;
  readonly secret: string;
  /** Whether somebody's rights depend on organisations and teams; only then they are asked for. */
  readonly needsGroups: boolean;
  /** The same of e-mail addresses. */
  readonly needsEmails: boolean;
}

/**
 * GitHub and GitHub Enterprise Server: OAuth 2 without OpenID Connect. A person is the account's number, since a login can be given up and
 * taken by somebody else.
 */
export class GitHubProvider implements Provider {
  readonly #options: GitHubProviderOptions;
  readonly #url: string;
  readonly #api: string;
  readonly #fetch: ProviderFetch;
  readonly #apiFetch: ProviderFetch;

  constructor(options: GitHubProviderOptions) {
    this.#options = options;
    this.#url = options.settings.issuer.replace(/\/$/, "");
    this.#api = this.#url === "https://github.com" ? "https://api.github.com" : `${this.#url}/api/v3`;
    this.#fetch = providerFetch(this.#url);
    this.#apiFetch = providerFetch(this.#api);
  }

  async authorizationUrl(
    { redirectUri, state, verifier }: SignInRequest,
    { loginHint, otherAccount }: SignInWishes,
  ) {
    const { settings, needsGroups, needsEmails } = this.#options;
    const url = new URL(`${this.#url}/login/oauth/authorize`);
    const scopes = [...(needsEmails ? ["user:email"] : []), ...(needsGroups ? ["read:org"] : [])];
    url.search = String(
      new URLSearchParams({
        client_id: settings.client,
        redirect_uri: redirectUri,
        scope: scopes.join(" "),
        state,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        allow_signup: "false",
        ...(loginHint ? { login: loginHint } : {}),
        ...(otherAccount ? { prompt: "select_account" } : {}),
      }),
    );
    return url;
  }

  /** GitHub sends no `iss` yet (RFC 9207); a redirect URI of its own keeps answers of other providers out. One that is there must be right. */
  async identify({ redirectUri, state, verifier }: SignInRequest, answer: URLSearchParams) {
    const iss = answer.get("iss");
    if (answer.get("state") !== state || (iss !== null && iss !== `${this.#url}/login/oauth`))
      throw new Error("the answer is of another sign-in or another provider");
    const error = answer.get("error");
    if (error !== null) throw refusal(error);
    const code = answer.get("code");
    if (!code) throw new Error("the answer has no code");
    return this.#identified({ code, redirect_uri: redirectUri, code_verifier: verifier });
  }

  /** Tokens of OAuth apps do not expire; those of GitHub apps come with a refresh token. */
  async check({ kind, value }: CheckToken): Promise<Identified> {
    if (kind === "refresh") return this.#identified({ grant_type: "refresh_token", refresh_token: value });
    return { identity: await this.#identity(value), token: { kind, value } };
  }

  /** Without a credential this is all that GitHub has; it does not count as an attempt. */
  async probe(): Promise<string> {
    const { status } = await this.#apiFetch(`${this.#api}/meta`, { headers: HEADERS });
    return `${this.#api} answered ${status}`;
  }

  async #identified(grant: Record<string, string>): Promise<Identified> {
    const { settings, secret } = this.#options;
    const body = new URLSearchParams({ client_id: settings.client, client_secret: secret, ...grant });
    const response = await this.#fetch(`${this.#url}/login/oauth/access_token`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
      body: String(body),
    });
    // Errors come with the status 200.
    const { access_token, refresh_token, error } = Token.parse(await jsonOf(response));
    if (error !== undefined) throw refusal(error);
    if (access_token === undefined) throw new Error("the answer has no access token");
    const token: CheckToken =
      refresh_token === undefined
        ? { kind: "access", value: access_token }
        : { kind: "refresh", value: refresh_token };
    return { identity: await this.#identity(access_token), token };
  }

  async #identity(token: string): Promise<Identified["identity"]> {
    const { needsEmails, needsGroups } = this.#options;
    const get = async (path: string) => {
      const response = await this.#apiFetch(`${this.#api}${path}`, {
        headers: { ...HEADERS, authorization: `Bearer ${token}` },
      });
      // Revoked by the person, or the account is gone.
      if (response.status === 401)
        throw new ProviderRefusal("GitHub does not accept the access token any more");
      if (!response.ok)
        throw new ProviderDown(
          `${path} answered ${response.status}; the app needs user:email, and read:org for groups`,
        );
      return jsonOf(response);
    };
    const all = async <T>(path: string, schema: z.ZodType<T[]>): Promise<T[]> => {
      const found: T[] = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        const part = schema.parse(await get(`${path}?per_page=${PAGE}&page=${page}`));
        found.push(...part);
        if (part.length < PAGE) break;
      }
      return found;
    };
    const user = User.parse(await get("/user"));
    const emails = needsEmails ? (await all("/user/emails", Emails)).filter(({ verified }) => verified) : [];
    const organisations = needsGroups ? await all("/user/orgs", Organisations) : [];
    const teams = needsGroups ? await all("/user/teams", Teams) : [];
    const addresses = emails
      .sort((one, other) => Number(other.primary) - Number(one.primary))
      .map(({ email }) => email.toLowerCase());
    return {
      issuer: this.#url,
      subject: String(user.id),
      name: eventText(user.name?.trim() || user.login).slice(0, 100),
      user: user.login.toLowerCase(),
      emails: addresses,
      domains: [...new Set(addresses.map((email) => email.split("@")[1] ?? ""))],
      groups: [
        ...organisations.map(({ login }) => login.toLowerCase()),
        ...teams.map(({ slug, organization }) => `${organization.login}/${slug}`.toLowerCase()),
      ],
    };
  }
}

const HEADERS = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" } as const;

/** What GitHub says of the person, not of this server's client. */
const REFUSALS = new Set([
  "access_denied",
  "bad_verification_code",
  "bad_refresh_token",
  "unverified_user_email",
]);

const refusal = (error: string) =>
  REFUSALS.has(error) ? new ProviderRefusal(eventText(error)) : new ProviderDown(eventText(error));

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await response.text());
  } catch {
    throw new ProviderDown(`the answer (${response.status}) is no JSON`);
  }
}
