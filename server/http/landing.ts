import { createHash } from "node:crypto";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
pre{background:#f3f5f7;padding:.8rem;overflow:auto;border-radius:6px}code{font:14px/1.5 ui-monospace,monospace}
@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#14171a}pre{background:#20252a}a{color:#8ab4f8}}`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Nothing but the page's one style, named by its hash: no script, no picture, no frame round it. */
export const LANDING_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "cache-control": "no-cache",
} as const;

export interface LandingFacts {
  /** The origin that clients use, such as https://mcp.example.com. */
  origin: string;
  needsToken: boolean;
  tools: readonly { name: string; description: string }[];
}

/** The page at `/`: what this is and how to connect. A pure function. */
export function landingPage({ origin, needsToken, tools }: LandingFacts): string {
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
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mcp-edge</title>
<style>${STYLE}</style>
<h1>mcp-edge</h1>
<p>This is a <a href="https://modelcontextprotocol.io">Model Context Protocol</a> server. It lets an AI client read and search the
source code that is on this machine. The endpoint is <code>${htmlSafe(url)}</code> (2025 sessions and the stateless 2026-07-28 revision).</p>
<p>${needsToken ? "It asks for a token, which its operator makes with <code>token create --name you</code>." : "It asks for no token."}</p>
<h2>Connect</h2>
<p>Claude Code</p>
<pre><code>${htmlSafe(`claude mcp add --transport http mcp-edge ${url}${header}`)}</code></pre>
<p>VS Code (<code>.vscode/mcp.json</code>), Cursor alike</p>
<pre><code>${htmlSafe(JSON.stringify(vscode, null, 2))}</code></pre>
<p>curl</p>
<pre><code>${htmlSafe(curl)}</code></pre>
<h2>Tools</h2>
<ul>
${tools.map((t) => `<li><code>${htmlSafe(t.name)}</code>: ${htmlSafe(t.description)}</li>`).join("\n")}
</ul>
<p><a href="/readyz">/readyz</a> says whether it is well, <a href="/sse?n=10">/sse</a> streams an event each second.</p>
</html>
`;
}

function htmlSafe(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
