import { createRemoteJWKSet, type JWTVerifyGetKey } from "jose";
import * as z from "zod";

const FETCH_MS = 5_000;
/** An unknown key id makes us look for new keys at most so often, milliseconds: invented key ids cost the issuer nothing. */
const COOLDOWN_MS = 30_000;
const KEYS_FRESH_MS = 600_000;

const MetadataSchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

export interface IssuerInfo {
  /** As the tokens' `iss` spells it. */
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
}

/**
 * An issuer's metadata, by discovery: OpenID Connect (RFC 8414, section 5) first, then OAuth, with the path appended or inserted. It is
 * read once, when the first token arrives, and again if that failed. The keys are read again when a token names an unknown one.
 */
export class IssuerKeys {
  readonly #url: string;
  #info: Promise<IssuerInfo> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(url: URL) {
    this.#url = url.href.replace(/\/$/, "");
  }

  /** @throws when the issuer cannot be reached or its metadata is of another issuer */
  get(): Promise<IssuerInfo> {
    if (!this.#info) {
      if (performance.now() - this.#failedAt < COOLDOWN_MS)
        return Promise.reject(new Error("the issuer's metadata could not be read a moment ago"));
      this.#info = this.#discover();
      this.#info.catch(() => {
        this.#failedAt = performance.now();
        this.#info = undefined;
      });
    }
    return this.#info;
  }

  async #discover(): Promise<IssuerInfo> {
    const { origin, pathname } = new URL(this.#url);
    const path = pathname.replace(/\/$/, "");
    const urls = [
      `${this.#url}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
    ];
    const problems: string[] = [];
    for (const url of urls) {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: "error" });
        if (!response.ok) throw new Error(`answered ${response.status}`);
        const { issuer, jwks_uri } = MetadataSchema.parse(await response.json());
        // RFC 8414, section 3.3: metadata of another issuer must not be used.
        if (issuer.replace(/\/$/, "") !== this.#url) throw new Error(`is of the issuer ${issuer}`);
        const keys = createRemoteJWKSet(new URL(jwks_uri), {
          timeoutDuration: FETCH_MS,
          cooldownDuration: COOLDOWN_MS,
          cacheMaxAge: KEYS_FRESH_MS,
        });
        return { issuer, keys };
      } catch (error) {
        problems.push(`${url} ${(error as Error).message}`);
      }
    }
    throw new Error(`JWT_ISSUER: ${problems.join("; ")}`);
  }
}
