import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { NAME, VERSION } from "../version.ts";

/** Paths of SEP-2127 and of the AI Catalog: `<MCP endpoint>/server-card`, and the list that leads to it. */
export const CARD_PATH = "/mcp/server-card";
export const CATALOG_PATH = "/.well-known/ai-catalog.json";
export const CARD_TYPE = "application/mcp-server-card+json";
export const CATALOG_TYPE = "application/ai-catalog+json";

/** The stateless revision is served beside those of the SDK. */
const STATELESS = "2026-07-28";
const DESCRIPTION = "Reads and searches the source code of this machine's git repositories.";

/**
 * What a client may know before it connects (SEP-2127). It names no tools.
 *
 * @param origin of the server, such as https://mcp.example.com
 * @param token whether every client needs a pasted token
 */
export function serverCard(origin: string, token: boolean) {
  const authorization = {
    name: "Authorization",
    description: "Bearer, a space and a token of this server",
    isRequired: true,
    isSecret: true,
  };
  return {
    $schema: "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
    name: `${publisher(origin).split(".").reverse().join(".")}/${NAME}`,
    version: VERSION,
    title: NAME,
    description: DESCRIPTION,
    websiteUrl: `${origin}/`,
    remotes: [
      {
        type: "streamable-http",
        url: `${origin}/mcp`,
        supportedProtocolVersions: [...new Set([STATELESS, ...SUPPORTED_PROTOCOL_VERSIONS])],
        ...(token && { headers: [authorization] }),
      },
    ],
  };
}

/** The list of this host's AI artifacts (https://github.com/Agent-Card/ai-catalog): the one server card. */
export function aiCatalog(origin: string) {
  return {
    specVersion: "1.0",
    entries: [
      {
        identifier: `urn:air:${publisher(origin)}:${NAME}`,
        displayName: NAME,
        type: CARD_TYPE,
        url: `${origin}${CARD_PATH}`,
        description: DESCRIPTION,
      },
    ],
  };
}

/** The host as the names allow it: without the brackets and colons of IPv6. */
function publisher(origin: string): string {
  return new URL(origin).hostname.replace(/[^a-z0-9.-]+/gi, "-").replace(/^-+|-+$/g, "");
}
