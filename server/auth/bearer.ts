import { hash } from "node:crypto";
import type { Principal } from "./principal.ts";

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

/** What a signed token said when it was verified. */
export interface VerifiedToken {
  readonly principal: Omit<Principal, "scopes"> & { readonly scopes: Principal["scopes"] };
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Tokens that were verified, by their hash, until they end. The least recently used goes when there are too many. */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();
  readonly #max: number;

  /** @param max some 500 bytes each */
  constructor(max = 10_000) {
    this.#max = max;
  }

  get(token: string, now: number): VerifiedToken | undefined {
    const key = hash("sha256", token, "base64");
    const known = this.#tokens.get(key);
    if (!known) return undefined;
    this.#tokens.delete(key);
    if (known.expiresAt <= now) return undefined;
    this.#tokens.set(key, known);
    return known;
  }

  clear(): void {
    this.#tokens.clear();
  }

  set(token: string, verified: VerifiedToken): void {
    this.#tokens.set(hash("sha256", token, "base64"), verified);
    if (this.#tokens.size > this.#max)
      for (const key of this.#tokens.keys()) {
        this.#tokens.delete(key);
        return;
      }
  }
}
