/**
 * How the MCP clients that people use sign in, as far as a server can tell: which registration they prefer, what they
 * register, where their redirect goes, what they send. From the clients' sources where these are public, else from
 * what servers logged (2026).
 */
export interface ClientShape {
  /** Value of `--as`. */
  id: string;
  title: string;
  userAgent: string;
  /** Where it sends people after consent. */
  redirectUri: string;
  /**
   * Client ID metadata document: its URL is the client id (draft-ietf-oauth-client-id-metadata-document).
   * The client takes this way only when the server advertises support and one of `methods`.
   */
  document?: {
    url: string;
    methods: readonly string[];
    /** Its token requests are signed with the client's own key (private_key_jwt), which nobody else has. */
    signed?: true;
  };
  /** Body of its dynamic registration (RFC 7591). @param scopes what the server offers */
  registration(scopes: readonly string[]): Record<string, unknown>;
  /** Which scopes it asks for: those of the 401 challenge where it names some, or always all that are supported. */
  scopes: "challenge" | "supported";
  /** What it sends as `resource` (RFC 8707): the metadata's value as it stands, with a slash added, its origin, or nothing. */
  resource: readonly ("exact" | "slash" | "origin" | "none")[];
  /** A page in a browser: discovery, registration, token and MCP requests need CORS. */
  origin?: string;
  /** A token that its user pastes: `ignored` where the host advertises OAuth, `sent` in any case, `never` can be pasted. */
  pastedToken: "ignored" | "sent" | "never";
  /** It registers twice for each attempt. */
  registersTwice?: boolean;
  /** It sends a GET to the endpoint before it signs in. */
  probesWithGet?: boolean;
}

const GRANTS = { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] };
const PUBLIC = { token_endpoint_auth_method: "none" };

export const CLIENTS: readonly ClientShape[] = [
  {
    id: "claude.ai",
    title: "Claude.ai, Desktop and mobile",
    userAgent: "python-httpx/0.28.1",
    redirectUri: "https://claude.ai/api/mcp/auth_callback",
    document: { url: "https://claude.ai/oauth/mcp-oauth-client-metadata", methods: ["none"] },
    registration: (scopes) => ({
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback"],
      ...GRANTS,
      token_endpoint_auth_method: "client_secret_post",
      scope: scopes.join(" "),
    }),
    scopes: "challenge",
    resource: ["exact"],
    pastedToken: "never",
    registersTwice: true,
  },
  {
    id: "chatgpt",
    title: "ChatGPT",
    userAgent: "openai-mcp/1.0.0",
    redirectUri: "https://chatgpt.com/connector_platform_oauth_redirect",
    document: {
      url: "https://chatgpt.com/oauth/client.json",
      methods: ["none", "private_key_jwt"],
      signed: true,
    },
    registration: () => ({
      client_name: "ChatGPT",
      redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
      ...GRANTS,
      ...PUBLIC,
    }),
    scopes: "challenge",
    resource: ["exact"],
    pastedToken: "never",
    probesWithGet: true,
  },
  {
    id: "claude-code",
    title: "Claude Code",
    userAgent: "claude-code/2.1.271",
    redirectUri: "http://localhost:3118/callback",
    document: { url: "https://claude.ai/oauth/claude-code-client-metadata", methods: ["none"] },
    registration: () => ({
      client_name: "Claude Code (mcp-edge)",
      redirect_uris: ["http://localhost:3118/callback"],
      application_type: "native",
      ...GRANTS,
      ...PUBLIC,
    }),
    scopes: "challenge",
    resource: ["exact", "slash", "origin", "none"],
    pastedToken: "ignored",
  },
  {
    id: "cursor",
    title: "Cursor",
    userAgent: "Cursor/3.14",
    redirectUri: "http://localhost:8787/callback",
    registration: () => ({
      client_name: "Cursor",
      redirect_uris: [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
      ],
      ...GRANTS,
      ...PUBLIC,
    }),
    scopes: "supported",
    resource: ["exact"],
    pastedToken: "ignored",
  },
  {
    id: "vscode",
    title: "VS Code",
    userAgent: "Visual Studio Code/1.109",
    redirectUri: "http://127.0.0.1:59656/",
    document: { url: "https://vscode.dev/oauth/client-metadata.json", methods: ["none"] },
    registration: (scopes) => ({
      client_name: "Visual Studio Code",
      client_uri: "https://code.visualstudio.com",
      redirect_uris: [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
      ],
      scope: scopes.join(" "),
      application_type: "native",
      grant_types: [...GRANTS.grant_types, "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: GRANTS.response_types,
      ...PUBLIC,
    }),
    scopes: "challenge",
    resource: ["exact"],
    pastedToken: "sent",
  },
  {
    id: "zed",
    title: "Zed",
    userAgent: "Zed/1.0",
    redirectUri: "http://127.0.0.1:49152/callback",
    document: { url: "https://zed.dev/oauth/client-metadata.json", methods: ["none"] },
    registration: () => ({
      client_name: "Zed",
      redirect_uris: ["http://127.0.0.1:49152/callback"],
      ...GRANTS,
      ...PUBLIC,
    }),
    scopes: "challenge",
    resource: ["exact"],
    pastedToken: "sent",
  },
  {
    id: "librechat",
    title: "LibreChat",
    userAgent: "node",
    redirectUri: "https://chat.example.com/api/mcp/mcp-edge/oauth/callback",
    registration: (scopes) => ({
      client_name: "LibreChat MCP Client",
      redirect_uris: ["https://chat.example.com/api/mcp/mcp-edge/oauth/callback"],
      ...GRANTS,
      token_endpoint_auth_method: "client_secret_basic",
      scope: scopes.join(" "),
      logo_uri: undefined,
      tos_uri: undefined,
    }),
    scopes: "supported",
    resource: ["exact"],
    pastedToken: "sent",
  },
  {
    id: "inspector",
    title: "MCP Inspector",
    userAgent: "Mozilla/5.0",
    redirectUri: "http://localhost:6274/oauth/callback",
    registration: () => ({
      client_name: "MCP Inspector",
      client_uri: "https://github.com/modelcontextprotocol/inspector",
      redirect_uris: ["http://localhost:6274/oauth/callback"],
      scope: "",
      application_type: "native",
      ...GRANTS,
      ...PUBLIC,
    }),
    scopes: "supported",
    resource: ["exact"],
    origin: "http://localhost:6274",
    pastedToken: "sent",
  },
];

/** The clients that `--as` names: one, several separated by commas, or `all`. @throws RangeError for an unknown name */
export function clientsNamed(text: string): ClientShape[] {
  if (text === "all") return [...CLIENTS];
  return text.split(",").map((name) => {
    const found = CLIENTS.find(({ id }) => id === name.trim());
    if (found) return found;
    const known = CLIENTS.map(({ id }) => id).join(", ");
    throw new RangeError(`--as knows no client "${name.trim()}": write one of ${known}, or all`);
  });
}
