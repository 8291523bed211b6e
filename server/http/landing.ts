import { htmlSafe, page } from "./page.ts";

export interface LandingFacts {
  /** The origin that clients use, such as https://mcp.example.com. */
  origin: string;
  needsToken: boolean;
  tools: readonly { name: string; description: string }[];
  /** Which doors are open. Default: all. */
  serve?: "all" | "mcp" | "api";
}

/** The page at `/`: what this is and how to connect. A pure function. */
export function landingPage({ origin, needsToken, tools, serve = "all" }: LandingFacts): string {
  const url = `${origin}/mcp`;
  const header = needsToken ? ' \\\n  --header "Authorization: Bearer $MCP_TOKEN"' : "";
  const vscode = {
    servers: {
      "mcp-edge": {
        type: "http",
        url,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder that VS Code fills in
        ...(needsToken ? { headers: { Authorization: "Bearer ${input:token}" } } : {}),
      },
    },
    ...(needsToken
      ? { inputs: [{ id: "token", type: "promptString", description: "Token", password: true }] }
      : {}),
  };
  const initialize = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/list",
    params: {},
  });
  const curl = [
    `curl -N ${url}`,
    ...(needsToken ? ['  -H "Authorization: Bearer $MCP_TOKEN"'] : []),
    '  -H "Content-Type: application/json"',
    '  -H "Accept: application/json, text/event-stream"',
    `  -d '${initialize}'`,
  ].join(" \\\n");
  const mcp = `<p>It is a <a href="https://modelcontextprotocol.io">Model Context Protocol</a> server; the endpoint is
<code>${htmlSafe(url)}</code> (2025 sessions and the stateless 2026-07-28 revision).</p>
<h2>Connect</h2>
<p>Claude Code</p>
<pre><code>${htmlSafe(`claude mcp add --transport http mcp-edge ${url}${header}`)}</code></pre>
<p>VS Code (<code>.vscode/mcp.json</code>), Cursor alike</p>
<pre><code>${htmlSafe(JSON.stringify(vscode, null, 2))}</code></pre>
<p>curl</p>
<pre><code>${htmlSafe(curl)}</code></pre>`;
  const api = `<p>The same tools over plain HTTP: <a href="/api">/api</a>.</p>`;
  return page(
    "mcp-edge",
    `<p>This lets an AI client read and search the source code that is on this machine.
${needsToken ? "It asks for a token, which its operator makes with <code>token create --name you</code>." : "It asks for no token."}</p>
${serve === "api" ? "" : mcp}
<h2>Tools</h2>
<ul>
${tools.map((t) => `<li><code>${htmlSafe(t.name)}</code>: ${htmlSafe(t.description)}</li>`).join("\n")}
</ul>
${serve === "mcp" ? "" : api}
<p><a href="/readyz">/readyz</a> says whether it is well, <a href="/demo/stream?n=10">/demo/stream</a> streams an event each second.</p>`,
  );
}
