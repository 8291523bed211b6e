import { type ClientSetup, clientSetups, type SetupAuth } from "./client-setup.ts";
import { COPY_SCRIPT, copyButton } from "./copy.ts";
import { type Html, html } from "./html.ts";
import { type HtmlPage, page } from "./layout.ts";

export interface LandingFacts {
  /** The origin that clients use, such as https://mcp.example.com. */
  readonly origin: string;
  readonly auth: SetupAuth;
  /** Whether people sign in here, so that they have an account page. */
  readonly accounts: boolean;
  readonly tools: readonly { name: string; title?: string | undefined; description: string }[];
  /** Which endpoints are open. */
  readonly serve: "all" | "mcp" | "api";
  /** The protocol between the browser and the edge, as NGINX names it, such as `HTTP/3.0`. Undefined without an edge. */
  readonly protocol: string | undefined;
}

/** The page at `/`: what this is and how to connect. A pure function. */
export function landingPage(facts: LandingFacts): HtmlPage {
  const { origin, auth, accounts, tools, serve } = facts;
  const url = `${origin}/mcp`;
  return page({
    title: "mcp-edge",
    public: true,
    scripts: [COPY_SCRIPT.path],
    links: [
      ...(serve === "api" ? [] : [{ href: "#connect", text: "Connect" }]),
      { href: "#tools", text: "Tools" },
      ...(serve === "mcp" ? [] : [{ href: "/api", text: "HTTP API" }]),
      ...(accounts ? [{ href: "/account", text: "Account" }] : []),
    ],
    body: html`<h1>Source code for your AI client</h1>
<p class="lead">This server lets an AI client read and search the source code that is on this machine. ${LETS_IN[auth]}</p>
${
  serve !== "api" &&
  html`<div class="card">
<div class="head"><h2 class="label">MCP endpoint</h2>${copyButton("endpoint", "the MCP endpoint")}</div>
<pre tabindex="0" id="endpoint" aria-label="MCP endpoint"><code>${url}</code></pre>
<p class="muted small">Streamable HTTP of the <a href="https://modelcontextprotocol.io">Model Context Protocol</a>: sessions of 2025 and the stateless revision 2026-07-28.</p>
</div>`
}
${protocolNote(facts.protocol)}
${
  serve !== "api" &&
  html`<h2 id="connect">Connect</h2>
<p class="muted">A click on a text box selects all of it.</p>
<div class="grid">${clientSetups(url, auth).map(setup)}</div>`
}
<h2 id="tools">Tools</h2>
<div class="card"><ul class="rows">${tools.map(
      (tool) =>
        html`<li><div><p><code>${tool.name}</code></p><p class="muted small">${tool.description}</p></div></li>\n`,
    )}</ul></div>
${serve !== "mcp" && html`<p>The same tools over plain HTTP: <a href="/api">/api</a>.</p>`}
<p class="muted small"><a href="/readyz">/readyz</a> shows whether this server is ready, <a href="/demo/stream?n=10">/demo/stream</a> streams one event a second.</p>`,
  });
}

const LETS_IN: Readonly<Record<SetupAuth, Html>> = {
  "sign-in": html`You sign in on this server, and decide for each client what it may do.`,
  token: html`It needs a token, which its operator creates with <code>token create --name you</code>.`,
  none: html`Anyone who can reach it may use it, without a sign-in or a token.`,
};

function setup({ name, steps, link, code }: ClientSetup): Html {
  return html`<section class="card"><div class="head"><h3>${name}</h3>${code !== undefined && copyButton(idOf(name), `the set-up of ${name}`)}</div>
${steps.length === 1 && html`<p class="small">${steps[0]}</p>`}
${steps.length > 1 && html`<ol class="small">${steps.map((step) => html`<li>${step}</li>`)}</ol>`}
${link !== undefined && html`<p><a class="button" href="${link}">Add to ${name}</a></p>`}
${code !== undefined && html`<pre tabindex="0" id="${idOf(name)}" aria-label="Set-up of ${name}"><code>${code}</code></pre>`}
</section>
`;
}

const idOf = (name: string) => `setup-${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;

/** HTTP/3 is this server's point, so it says what this visit used. */
function protocolNote(protocol: string | undefined): Html {
  const [, version] = /^HTTP\/(1\.[01]|[23])(?:\.0)?$/.exec(protocol ?? "") ?? [];
  if (version === undefined) return html``;
  return version === "3"
    ? html`<p><span class="badge good">HTTP/3</span> <span class="muted small">Your browser reached this server over QUIC.</span></p>`
    : html`<p><span class="badge">HTTP/${version}</span> <span class="muted small">Your browser learned just now that this server has HTTP/3. Reload to use it; if this stays, your network blocks UDP 443.</span></p>`;
}
