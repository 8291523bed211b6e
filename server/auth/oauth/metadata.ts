import { OFFERED_SCOPES } from "../principal.ts";
import { GRANT_TYPES, ROUTES } from "./discovery.ts";
import { SIGNING_ALG } from "./keys.ts";
import { OIDC_SCOPES } from "./resource.ts";

/** Where the protected-resource metadata of `resource` is (RFC 9728, section 3.1). */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname}`;
}

/**
 * Protected-resource metadata (RFC 9728): at both places where clients look, and the same at both. `offline_access` is not the resource's
 * to list (MCP 2025-11-25, authorization).
 */
export function protectedResourceMetadata(resource: string, issuer: string) {
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: [...OFFERED_SCOPES],
    bearer_methods_supported: ["header"],
    resource_name: `mcp-edge at ${new URL(resource).host}`,
  };
}

/**
 * Authorization server metadata (RFC 8414), which is the OpenID configuration as well. Clients read different parts of it: Claude.ai engages
 * metadata documents only where `none` is among the token endpoint's methods; ChatGPT and others insist on
 * `code_challenge_methods_supported`; VS Code filters its grant types by those here.
 */
export function authorizationServerMetadata(issuer: string) {
  const authMethods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
  const authAlgorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];
  return {
    issuer,
    authorization_endpoint: issuer + ROUTES.authorization,
    token_endpoint: issuer + ROUTES.token,
    registration_endpoint: issuer + ROUTES.registration,
    revocation_endpoint: issuer + ROUTES.revocation,
    jwks_uri: issuer + ROUTES.jwks,
    scopes_supported: [...OFFERED_SCOPES, ...OIDC_SCOPES],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment", "form_post"],
    grant_types_supported: [...GRANT_TYPES],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: authMethods,
    token_endpoint_auth_signing_alg_values_supported: authAlgorithms,
    revocation_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_signing_alg_values_supported: authAlgorithms,
    client_id_metadata_document_supported: true,
    authorization_response_iss_parameter_supported: true,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [SIGNING_ALG],
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "auth_time"],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    service_documentation: `${issuer}/`,
  };
}

/** Where clients look for it: the standard places, with the resource's path inserted (RFC 8414, section 3.1) and appended (OpenID). */
export const AS_METADATA_PATHS = [
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-authorization-server/mcp",
  "/.well-known/openid-configuration",
  "/.well-known/openid-configuration/mcp",
  "/mcp/.well-known/oauth-authorization-server",
  "/mcp/.well-known/openid-configuration",
] as const;

export const RESOURCE_METADATA_PATHS = [
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
  "/mcp/.well-known/oauth-protected-resource",
] as const;
