import type { Deployed } from "./deployed.ts";

/** Ready-to-paste ways to connect a client. */
export interface Connection {
  client: string;
  text: string;
}

/**
 * @param token the secret, or undefined when it was shown before: then the lines name the variable MCP_EDGE_TOKEN
 */
export function connections(deployed: Deployed, token: string | undefined): Connection[] {
  const { url, rootsFile, stack } = deployed;
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
      text: `NODE_EXTRA_CA_CERTS=${rootsFile} claude mcp add --transport http ${name} ${url} --header "Authorization: ${bearer}"`,
    },
    {
      client: "VS Code",
      text: `NODE_EXTRA_CA_CERTS=${rootsFile} code --add-mcp ${quoted}`,
    },
    {
      client: "Cursor (~/.cursor/mcp.json; start it with NODE_EXTRA_CA_CERTS as above)",
      text: cursor,
    },
    {
      client: "curl",
      text:
        `curl --cacert ${rootsFile} ${url} -H "Authorization: ${bearer}" -H 'Content-Type: application/json' ` +
        `-H 'Accept: application/json, text/event-stream' -d '${call}'`,
    },
  ];
}

export function connectText(deployed: Deployed, token: string | undefined): string {
  return connections(deployed, token)
    .map(({ client, text }) => `${client}:\n${text.replace(/^/gm, "  ")}`)
    .join("\n\n");
}
