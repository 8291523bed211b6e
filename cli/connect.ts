/** A server as its clients see it. */
export interface ConnectTarget {
  stack: string;
  url: string;
  /** PEM file of its certificate's roots; undefined: every client trusts them. */
  rootsFile?: string;
}

/** Ready-to-paste ways to connect a client. */
export interface Connection {
  client: string;
  text: string;
}

/**
 * @param token the secret, or undefined when it was shown before: then the lines name the variable MCP_EDGE_TOKEN
 */
export function connections(target: ConnectTarget, token: string | undefined): Connection[] {
  const { url, rootsFile, stack } = target;
  const trust = rootsFile ? `NODE_EXTRA_CA_CERTS=${rootsFile} ` : "";
  const bearer = `Bearer ${token ?? "$MCP_EDGE_TOKEN"}`;
  const name = stack === "local" ? "mcp-edge" : `mcp-edge-${stack}`;
  const headers = { Authorization: bearer };
  const vscode = JSON.stringify({ name, type: "http", url, headers });
  const cursor = JSON.stringify({ mcpServers: { [name]: { url, headers } } }, null, 2);
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const quoted = token ? `'${vscode}'` : `"${vscode.replaceAll('"', '\\"')}"`;
  return [
    {
      client: "Claude Code",
      text: `${trust}claude mcp add --transport http ${name} ${url} --header "Authorization: ${bearer}"`,
    },
    {
      client: "VS Code",
      text: `${trust}code --add-mcp ${quoted}`,
    },
    {
      client: `Cursor (~/.cursor/mcp.json${rootsFile ? "; start it with NODE_EXTRA_CA_CERTS as above" : ""})`,
      text: cursor,
    },
    {
      client: "curl",
      text:
        `curl ${rootsFile ? `--cacert ${rootsFile} ` : ""}${url} -H "Authorization: ${bearer}" -H 'Content-Type: application/json' ` +
        `-H 'Accept: application/json, text/event-stream' -d '${call}'`,
    },
  ];
}

export function connectText(target: ConnectTarget, token: string | undefined): string {
  return connections(target, token)
    .map(({ client, text }) => `${client}:\n${text.replace(/^/gm, "  ")}`)
    .join("\n\n");
}
