/** How this server lets clients in, as far as a client's set-up depends on it. */
export type SetupAuth = "sign-in" | "token" | "none";

/** How one client connects. Shown in this order: steps, link, code. */
export interface ClientSetup {
  readonly name: string;
  readonly steps: readonly string[];
  /** Opens the client and adds the server. */
  readonly link?: string;
  readonly code?: string;
}

const NAME = "mcp-edge";

/**
 * The clients that people use, with what they need to connect.
 *
 * @param url the MCP endpoint
 */
export function clientSetups(url: string, auth: SetupAuth): ClientSetup[] {
  const signIn = auth === "sign-in";
  const header = (token: string) =>
    auth === "token" ? { headers: { Authorization: `Bearer ${token}` } } : {};
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Cursor fills it in
  const cursor = { url, ...header("${env:MCP_TOKEN}") };
  const vscode = {
    name: NAME,
    type: "http",
    url,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code fills it in
    ...header("${input:token}"),
    ...(auth === "token" && {
      inputs: [{ id: "token", type: "promptString", description: "Token of mcp-edge", password: true }],
    }),
  };
  const allow = signIn ? ["Sign in on this server and allow the access."] : [];
  const onlySignIn = [
    "It takes no pasted token. The operator of this server switches the sign-in on with the setting auth: oauth.",
  ];
  return [
    {
      name: "Claude.ai",
      steps:
        auth === "token"
          ? onlySignIn
          : ["Open Settings, Connectors, Add custom connector.", `Paste ${url} and choose Add.`, ...allow],
    },
    {
      name: "ChatGPT",
      steps:
        auth === "token"
          ? onlySignIn
          : [
              "Open Settings, Apps & Connectors, Advanced settings, and switch Developer mode on.",
              `Choose Create, paste ${url}${signIn ? " and take OAuth" : " and take No authentication"}.`,
              ...allow,
            ],
    },
    {
      name: "Claude Code",
      steps: signIn ? ["Run this, then type /mcp in Claude Code to sign in."] : [],
      code: `claude mcp add --transport http ${NAME} ${url}${auth === "token" ? ' \\\n  --header "Authorization: Bearer $MCP_TOKEN"' : ""}`,
    },
    {
      name: "Cursor",
      steps: [],
      link: `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${encodeURIComponent(
        Buffer.from(JSON.stringify(cursor)).toString("base64"),
      )}`,
      code: JSON.stringify({ mcpServers: { [NAME]: cursor } }, null, 2),
    },
    {
      name: "VS Code",
      steps: [],
      link: `vscode:mcp/install?${encodeURIComponent(JSON.stringify(vscode))}`,
      code: `code --add-mcp '${JSON.stringify(vscode)}'`,
    },
    {
      name: "Zed",
      steps: ["Add this to settings.json."],
      code: JSON.stringify({ context_servers: { [NAME]: { url, ...header("TOKEN") } } }, null, 2),
    },
    {
      name: "LibreChat",
      steps: ["Add this to librechat.yaml."],
      code: [
        "mcpServers:",
        `  ${NAME}:`,
        "    type: streamable-http",
        `    url: ${url}`,
        ...(signIn ? ["    requiresOAuth: true"] : []),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: LibreChat fills it in
        ...(auth === "token" ? ["    headers:", '      Authorization: "Bearer ${MCP_TOKEN}"'] : []),
      ].join("\n"),
    },
    {
      name: "MCP Inspector",
      steps: [`Run this, choose Streamable HTTP and enter ${url}.`],
      code: "npx @modelcontextprotocol/inspector",
    },
    {
      name: "curl",
      steps: signIn ? ["With a static token, which the operator creates."] : [],
      code: [
        `curl -N ${url}`,
        ...(auth === "none" ? [] : ['  -H "Authorization: Bearer $MCP_TOKEN"']),
        '  -H "Content-Type: application/json"',
        '  -H "Accept: application/json, text/event-stream"',
        `  -d '${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} })}'`,
      ].join(" \\\n"),
    },
  ];
}
