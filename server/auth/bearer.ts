import { hash } from "node:crypto";
import { WeightedCache } from "../weighted-cache.ts";
import type { OriginSource } from "./event-origin.ts";
import type { AuthEvents } from "./events.ts";
import type { Principal, Scope, Verdict } from "./principal.ts";

/** The longest access token that is looked at, characters; static tokens are shorter. */
const MAX_TOKEN = 4_096;
const BEARER = new RegExp(`^Bearer +([\\x21-\\x7e]{1,${MAX_TOKEN}}) *$`, "i");

/** The token of an `Authorization` header (RFC 6750, section 2.1); undefined when there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? "")?.[1];
}

/** A value for a quoted string of `WWW-Authenticate` (RFC 9110, section 11.2): no quotes, backslashes or control characters. */
const quotable = (text: string) => text.replace(/[^\x20-\x7e]|["\\]/g, "");

/** A Bearer challenge (RFC 6750, section 3; RFC 9728, section 5.1). What is undefined is left out. */
export function bearerChallenge(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${quotable(value)}"`],
  );
  return given.length === 0 ? "Bearer" : `Bearer ${given.join(", ")}`;
}

/** A verdict that is a 401. */
export type RefusedBearer = Extract<Verdict, { challenge: string }>;

export interface BearerAnswersOptions {
  /** What a caller without a credential has to do, for people. */
  readonly hint: string;
  /** URL of the protected-resource metadata (RFC 9728, section 5.1). Default: challenges name none. */
  readonly metadataUrl?: string;
  /** The scope that a client should ask for. Default: challenges of a 401 name none. */
  readonly scope?: Scope;
  /** Every refused token is an event here. */
  readonly events?: AuthEvents;
}

/** How a resource answers requests that it does not let in (RFC 6750, section 3). */
export class BearerAnswers {
  readonly #options: BearerAnswersOptions;

  constructor(options: BearerAnswersOptions) {
    this.#options = options;
  }

  /** 401 for a request without a bearer token. A credential of another kind is a guess. */
  missing(authorization: string | undefined): RefusedBearer {
    return {
      challenge: this.#challenge({}),
      reason: this.#options.hint,
      ...(authorization?.trim() ? { guessed: true as const } : {}),
    };
  }

  /**
   * 401 for a token that is not accepted.
   *
   * @param guessed true for a token that was never issued
   */
  invalid(
    reason: string,
    { guessed, from }: { guessed?: boolean; from?: OriginSource | undefined } = {},
  ): RefusedBearer {
    this.#options.events?.emit({ type: "bearer.refused", reason }, from?.());
    return {
      challenge: this.#challenge({ error: "invalid_token", error_description: reason }),
      reason,
      ...(guessed ? { guessed: true as const } : {}),
    };
  }

  /** The challenge of a 403 for a caller without `scope`. */
  insufficientScope(scope: Scope): string {
    const { metadataUrl } = this.#options;
    return bearerChallenge({ error: "insufficient_scope", scope, resource_metadata: metadataUrl });
  }

  #challenge(error: { error?: string; error_description?: string }): string {
    const { metadataUrl, scope } = this.#options;
    return bearerChallenge({ ...error, resource_metadata: metadataUrl, scope });
  }
}

/** What a signed token said when it was verified. */
export interface VerifiedToken {
  readonly principal: Omit<Principal, "scopes"> & { readonly scopes: Principal["scopes"] };
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Tokens that were verified, by a hash of the `Authorization` header, until they end or until there are too many. */
export class VerifiedTokens {
  readonly #tokens: WeightedCache<string, VerifiedToken>;

  /** @param max some 500 bytes each */
  constructor(max = 10_000) {
    this.#tokens = new WeightedCache(max);
  }

  get(authorization: string, now: number): VerifiedToken | undefined {
    if (this.#tokens.weight === 0) return undefined;
    const key = keyOf(authorization);
    const known = this.#tokens.get(key);
    if (!known || known.expiresAt > now) return known;
    this.#tokens.delete(key);
    return undefined;
  }

  clear(): void {
    this.#tokens.clear();
  }

  set(authorization: string, verified: VerifiedToken): void {
    this.#tokens.set(keyOf(authorization), verified);
  }
}

/** No credential is kept in memory longer than its request. */
const keyOf = (authorization: string) => hash("sha256", authorization, "base64");
