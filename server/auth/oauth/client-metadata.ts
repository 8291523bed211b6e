import { GRANT_TYPES } from "./discovery.ts";

/** Of the metadata that a client may send, only these matter here (RFC 7591, section 2). The rest is dropped. */
const KEPT = [
  "client_id",
  "client_name",
  "client_uri",
  "logo_uri",
  "policy_uri",
  "tos_uri",
  "redirect_uris",
  "grant_types",
  "response_types",
  "token_endpoint_auth_method",
  "token_endpoint_auth_signing_alg",
  "application_type",
  "jwks",
  "jwks_uri",
] as const;

/** Kept as text of at most this length. */
const MAX_TEXT = 512;
const MAX_REDIRECTS = 20;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Real clients' metadata in the form that oidc-provider takes. Clients leave `application_type` out though they have loopback or custom
 * scheme redirects, send empty strings and nulls, grant types that only other servers have, and resource scopes as `scope`; some mix
 * `https`, `http://localhost` and custom schemes in one registration. `native` allows all of these, and loopback redirects on any port.
 *
 * What is not an object, or has no redirect, is left for oidc-provider to refuse.
 */
export function normalizeClientMetadata(input: unknown): Record<string, unknown> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return {};
  const given = input as Record<string, unknown>;
  const metadata: Record<string, unknown> = {};
  for (const name of KEPT) {
    const value = given[name];
    if (value === undefined || value === null || value === "") continue;
    metadata[name] = typeof value === "string" && name !== "client_id" ? value.slice(0, MAX_TEXT) : value;
  }
  const redirects = metadata.redirect_uris;
  if (Array.isArray(redirects)) {
    const usable = redirects.filter((uri): uri is string => typeof uri === "string" && uri.length <= 2_000);
    metadata.redirect_uris = [...new Set(usable)].slice(0, MAX_REDIRECTS);
    if (metadata.application_type !== "native" && usable.some(isNative)) metadata.application_type = "native";
  }
  const grants = metadata.grant_types;
  const served = Array.isArray(grants) ? GRANT_TYPES.filter((grant) => grants.includes(grant)) : [];
  // A client that says nothing, or asks for a code only, still profits from a refresh token; it may leave it.
  metadata.grant_types = served.length > 0 ? [...new Set([...served, "refresh_token"])] : [...GRANT_TYPES];
  metadata.response_types = ["code"];
  // Pages of others are shown to people as links: only https.
  for (const name of ["client_uri", "logo_uri", "policy_uri", "tos_uri"])
    if (name in metadata && !isHttps(metadata[name])) delete metadata[name];
  // A signing algorithm is only of use to a client that signs.
  if (metadata.token_endpoint_auth_method !== "private_key_jwt")
    delete metadata.token_endpoint_auth_signing_alg;
  if ("jwks_uri" in metadata && "jwks" in metadata) delete metadata.jwks;
  return metadata;
}

/** A redirect to a program on the person's own computer (RFC 8252, section 7). */
export function isNative(uri: string): boolean {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url) return false;
  if (url.protocol === "http:") return LOOPBACK.has(url.hostname);
  return url.protocol !== "https:";
}

/**
 * Why these redirects cannot be used (OAuth 2.1, section 2.3.1: `https`, or a program on the person's own computer); undefined when they
 * can.
 */
export function redirectProblem({ redirect_uris: redirects }: Record<string, unknown>): string | undefined {
  if (!Array.isArray(redirects) || redirects.length === 0) return "redirect_uris is missing or empty";
  for (const uri of redirects) {
    const url = typeof uri === "string" && URL.canParse(uri) ? new URL(uri) : undefined;
    if (!url) return "redirect_uris has an entry that is not a URL";
    if (url.protocol === "http:" && !LOOPBACK.has(url.hostname))
      return `redirect_uris: http is only for this computer (localhost, 127.0.0.1); use https for ${url.hostname}`;
    if (url.username || url.password) return "redirect_uris has an entry with credentials";
  }
  return undefined;
}

function isHttps(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && new URL(value).protocol === "https:";
}
