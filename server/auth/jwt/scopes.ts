import type { JWTPayload } from "jose";
import { SCOPES, type Scope } from "../principal.ts";

/** Claims in which issuers put what a token allows: RFC 9068's `scope`, Entra's `scp` and `roles`, Auth0's `permissions`. */
const CLAIMS = ["scope", "scp", "permissions", "roles"] as const;

/**
 * The scopes that another issuer's token stands for here.
 *
 * @param map ours by theirs; empty: the same names
 */
export function mappedScopes(payload: JWTPayload, map: ReadonlyMap<string, Scope>): Scope[] {
  const theirs = CLAIMS.flatMap((claim) => words(payload[claim]));
  if (map.size === 0) return SCOPES.filter((scope) => theirs.includes(scope));
  return [...new Set(theirs.flatMap((name) => map.get(name) ?? []))];
}

/** A claim that is a list, or words separated by blanks. */
export function words(claim: unknown): string[] {
  if (typeof claim === "string") return claim.split(" ").filter(Boolean);
  return Array.isArray(claim) ? claim.filter((word): word is string => typeof word === "string") : [];
}
