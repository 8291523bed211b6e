import type { Refusals } from "./refusals.ts";

/** Everything a token may allow. `code:read`: the tools over the workspace; `ops`: what shows the server's own state. */
export const SCOPES = ["code:read", "ops"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls. Never holds the token itself. */
export interface Principal {
  /** The token's id, or "anonymous" in `none` mode. A session belongs to the id that opened it. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Calls a day, where the token has a quota of its own; 0: as many as it likes. */
  readonly quota?: number;
}

export const ANONYMOUS: Principal = { id: "anonymous", name: "anonymous", scopes: ["code:read"] };

/**
 * What `Authorization` came to: somebody, or the `WWW-Authenticate` challenge of a 401 (RFC 6750, section 3). `guessed`: there was a
 * credential, and it is none that this server has given out; it counts towards a ban.
 */
export type Verdict = { principal: Principal } | { challenge: string; reason: string; guessed?: true };

export interface Authenticator {
  /** Which credentials it refused lately; missing where none is asked for. */
  readonly refusals?: Refusals;
  authenticate(authorization: string | undefined): Promise<Verdict>;
  /** A principal by its id as it is now; undefined when its token was revoked or has expired. Missing where nobody can lose a right. */
  current?(id: string): Promise<Principal | undefined>;
}

/** Whether two principals may do the same. */
export function sameScopes(one: Principal, other: Principal): boolean {
  return one.scopes.length === other.scopes.length && one.scopes.every((s) => other.scopes.includes(s));
}
