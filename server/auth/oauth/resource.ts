import { DEFAULT_SCOPE, OFFERED_SCOPES, type Scope } from "../principal.ts";

/**
 * The one protected resource: the MCP endpoint at the issuer's `/mcp`. Clients name it in several ways, and some not at all (RFC 8707):
 * the origin, with a trailing slash, or another of its endpoints. All mean it; a resource of another origin is refused.
 */
export function resourceOf(issuer: string): string {
  return `${issuer}/mcp`;
}

/** @returns the one resource for every spelling of it; anything else as it is, for oidc-provider to refuse */
export function canonicalResource(given: string, resource: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const ours = new URL(resource);
  if (url?.origin !== ours.origin || url.search || url.hash || url.username || url.password) return given;
  const path = url.pathname.replace(/\/+$/, "");
  return path === "" || path === ours.pathname || path.startsWith(`${ours.pathname}/`) ? resource : given;
}

/** Scopes of OpenID Connect and OAuth that clients may ask for besides the resource's. */
export const OIDC_SCOPES = ["openid", "offline_access"] as const;

const KNOWN: readonly string[] = [...OFFERED_SCOPES, ...OIDC_SCOPES];

export function knownScopes(scope: string): string[] {
  return [...new Set(scope.split(" "))].filter((name) => KNOWN.includes(name));
}

/**
 * The `scope` of an authorization request as it is served: what is unknown is dropped (clients ask for scopes that they saw elsewhere), and
 * a client that asks for nothing of the resource gets the least that is useful.
 */
export function servedScope(scope: string): string {
  const asked = knownScopes(scope);
  return (asked.some(isScope) ? asked : [...asked, DEFAULT_SCOPE]).join(" ");
}

/** The resource's scopes in a `scope` parameter. */
export function resourceScopes(scope: unknown): Scope[] {
  return typeof scope === "string" ? scope.split(" ").filter(isScope) : [];
}

function isScope(name: string): name is Scope {
  return (OFFERED_SCOPES as readonly string[]).includes(name);
}
