/**
 * Copies of well-known clients' metadata documents, for the days when their URL answers 403, 404 or HTML. A document that can be fetched
 * always takes precedence. Collected from public copies, last checked 2026-11; each redirect leads to the vendor's own site or to the
 * person's own computer, so that a stale copy gives nobody else a code.
 */
const DOCUMENTS: readonly Readonly<Record<string, unknown>>[] = [
  {
    client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata",
    client_name: "Claude",
    client_uri: "https://claude.ai",
    redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
    token_endpoint_auth_method: "none",
  },
  {
    client_id: "https://claude.com/oauth/mcp-oauth-client-metadata",
    client_name: "Claude",
    client_uri: "https://claude.com",
    redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
    token_endpoint_auth_method: "none",
  },
  {
    client_id: "https://claude.ai/oauth/claude-code-client-metadata",
    client_name: "Claude Code",
    client_uri: "https://claude.ai",
    redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
    token_endpoint_auth_method: "none",
  },
  {
    client_id: "https://chatgpt.com/oauth/client.json",
    client_name: "ChatGPT",
    client_uri: "https://chatgpt.com",
    redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "RS256",
    jwks_uri: "https://chatgpt.com/oauth/jwks.json",
  },
  {
    client_id: "https://chatgpt.com/oauth/codex/client.json",
    client_name: "Codex",
    client_uri: "https://chatgpt.com",
    redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
    token_endpoint_auth_method: "none",
  },
  {
    client_id: "https://vscode.dev/oauth/client-metadata.json",
    client_name: "Visual Studio Code",
    client_uri: "https://vscode.dev/product",
    redirect_uris: ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    token_endpoint_auth_method: "none",
    application_type: "native",
  },
  {
    client_id: "https://zed.dev/oauth/client-metadata.json",
    client_name: "Zed",
    client_uri: "https://zed.dev",
    redirect_uris: ["http://127.0.0.1/callback"],
    token_endpoint_auth_method: "none",
  },
];

/** The copy of the document at `url`, before normalising; undefined for a client that is not well known. */
export function pinnedDocument(url: string): Readonly<Record<string, unknown>> | undefined {
  return DOCUMENTS.find((document) => document.client_id === url);
}
