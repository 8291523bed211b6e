import type { MaybePromise } from "../maybe-promise.ts";
import type { OriginSource } from "./event-origin.ts";
import type { Refusals } from "./refusals.ts";

/**
 * Everything a caller may be allowed. `code:read`: the tools over the workspace; `ops`: what shows the server's own state; `index:write`:
 * the upload of precise indexes.
 */
export const SCOPES = ["code:read", "ops", "index:write"] as const;
export type Scope = (typeof SCOPES)[number];

/** The scopes that OAuth clients are offered. Indexes are uploaded by programs, with a token. */
export const OFFERED_SCOPES: readonly Scope[] = ["code:read", "ops"];

/** The scope of a client that asks for none. */
export const DEFAULT_SCOPE: Scope = "code:read";

/**
 * How a caller proved who they are: `token`: a static token of the tokens file; `person`: an access token of this server's OAuth, for a
 * person who signed in; `issuer`: an access token of another issuer; `anonymous`: `AUTH_MODE=none`.
 */
export type PrincipalKind = "anonymous" | "token" | "person" | "issuer";

/** Who calls. Never holds the credential itself. */
export interface Principal {
  /**
   * A static token's id, `user:` and a person's id, `sub:` and another issuer's subject, or "anonymous". A session belongs to the id that
   * opened it; limits and quotas are counted by it.
   */
  readonly id: string;
  /** Default: `token`. */
  readonly kind?: PrincipalKind;
  /** For people to read. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** What a person of this server types to sign in. */
  readonly login?: string;
  /** Groups of the person; none for a static token. */
  readonly groups?: readonly string[];
  /** The OAuth client through which a person calls: its `client_id`. */
  readonly client?: string;
  /** The grant (one consent of one person to one client) that the access token stands for. */
  readonly grant?: string;
  /** The id of the access token (`jti`), with which it alone can be revoked. */
  readonly tokenId?: string;
  /** When the credential ends, milliseconds since 1970, for those that `Authenticator.current` cannot ask again. */
  readonly expiresAt?: number;
  /** Calls a day, where the caller has a quota of their own; 0: as many as they like. */
  readonly quota?: number;
}

export const ANONYMOUS: Principal = {
  id: "anonymous",
  kind: "anonymous",
  name: "anonymous",
  scopes: ["code:read"],
};

/** The anonymous caller is everybody at once, and so has no limits or quota. */
export function isAnonymous(principal: Principal): boolean {
  return principal.kind === "anonymous";
}

/**
 * The result of checking `Authorization`: a principal, or the `WWW-Authenticate` challenge of a 401 (RFC 6750, section 3). `guessed`: there
 * was a credential, and this server never issued it; it counts towards a ban.
 */
export type Verdict = { principal: Principal } | { challenge: string; reason: string; guessed?: true };

export interface Authenticator {
  /** Which credentials were refused lately; missing where none is needed. */
  readonly refusals?: Refusals;
  /** @param from for the event of a refused token */
  authenticate(authorization: string | undefined, from?: OriginSource): MaybePromise<Verdict>;
  /** The principal as it is now; undefined when its credential was revoked or has expired. Missing where nobody can lose a right. */
  current?(principal: Principal): MaybePromise<Principal | undefined>;
  /** The challenge of a 403 for a caller that lacks `scope` (RFC 6750, section 3.1). Default: without resource metadata. */
  insufficientScope?(scope: Scope): string;
}

/** Whether two principals of one id may do the same. */
export function sameRights(one: Principal, other: Principal): boolean {
  return (
    sameMembers(one.scopes, other.scopes) &&
    sameMembers(one.groups ?? [], other.groups ?? []) &&
    one.login === other.login &&
    one.client === other.client
  );
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((member) => other.includes(member));
}
