import { VERSION } from "../version.ts";
import type { ConnectTarget } from "./client-setup.ts";

/** The newest revision of the registry's format: https://github.com/modelcontextprotocol/registry, docs/reference/server-json. */
const SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
const NAME = "mcp-edge";

/** A header of every request. The client asks its user for the token, and keeps it as a secret. */
const AUTHORIZATION = {
  name: "Authorization",
  description: "A token of this server: mcp-edge token create",
  isRequired: true,
  isSecret: true,
  value: "Bearer {token}",
  variables: {
    token: { description: "The token, which begins with mcp_", isRequired: true, isSecret: true },
  },
} as const;

/**
 * `server.json`, with which the official MCP registry lists a server. Its name is in the domain of the server, reversed, which the publisher
 * proves by DNS or HTTP. Clients that sign in find out by themselves how, so a header is only for servers that take nothing but tokens.
 *
 * @throws Error for a server whose certificate clients do not trust, such as a local one: nobody else could use the entry
 */
export function registryEntry({ stack, url, rootsFile, auth }: ConnectTarget) {
  if (rootsFile !== undefined)
    throw new Error(
      `The registry is for servers that everybody can reach. Clients do not trust the certificate of stack ${stack}. Use a stack with a domain and a public certificate authority: npm run mcp-edge -- connect --registry --stack prod`,
    );
  const { hostname, origin } = new URL(url);
  return {
    $schema: SCHEMA,
    name: `${hostname.split(".").reverse().join(".")}/${NAME}`,
    title: NAME,
    description: "Reads and searches the source code of git repositories.",
    version: VERSION,
    websiteUrl: `${origin}/`,
    remotes: [{ type: "streamable-http", url, ...(auth === "token" ? { headers: [AUTHORIZATION] } : {}) }],
  };
}
