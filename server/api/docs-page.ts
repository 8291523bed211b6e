import { type Html, html } from "../pages/html.ts";
import { type HtmlPage, page } from "../pages/layout.ts";
import type { JsonSchema, ToolDescription } from "./json-schema.ts";

export interface DocsPageOptions {
  /** The origin that clients use, such as https://mcp.example.com. */
  origin: string;
  needsToken: boolean;
  tools: readonly ToolDescription[];
}

/** The page at /api: the OpenAPI document in readable form, without scripts. Swagger UI is at /api/docs. A pure function. */
export function docsPage({ origin, needsToken, tools }: DocsPageOptions): HtmlPage {
  return page({
    title: "Tools over HTTP",
    public: true,
    links: [
      { href: "/#connect", text: "Connect" },
      { href: "/api/docs", text: "Try in the browser" },
    ],
    body: html`<h1>Tools over HTTP</h1>
<p>Call a tool by POST with its arguments as a JSON object. The response is JSON. The machine-readable form, for any OpenAPI 3.1 tool:
<a href="/api/openapi.json">${origin}/api/openapi.json</a>. To try the tools in the browser: <a href="/api/docs">/api/docs</a>.</p>
<p>An error is <code>{"error": …, "request_id": …}</code> with the status 400 (arguments), 401 or 403 (token), 422 (the tool failed), or
429 or 503 (try again later; see <code>Retry-After</code>).</p>
<ul>${tools.map(({ name, title }) => html`<li><a href="#${name}">${name}</a>: ${title}</li>\n`)}</ul>
${tools.map((tool) => toolSection(tool, origin, needsToken))}`,
  });
}

function toolSection(tool: ToolDescription, origin: string, needsToken: boolean): Html {
  const curl = [
    `curl ${origin}/api/tools/${tool.name}`,
    ...(needsToken ? ['  -H "Authorization: Bearer $MCP_TOKEN"'] : []),
    '  -H "Content-Type: application/json"',
    `  -d '${JSON.stringify(exampleOf(tool.inputSchema))}'`,
  ].join(" \\\n");
  return html`<section class="card" aria-labelledby="${tool.name}"><h2 id="${tool.name}">${tool.name}</h2>
<p>${tool.description}</p>
${properties("Arguments", tool.inputSchema)}
${properties("Result", tool.outputSchema)}
<pre tabindex="0" aria-label="Example of ${tool.name}"><code>${curl}</code></pre></section>
`;
}

/** A list, not a table: on a phone, the description of a property follows below its name. */
function properties(heading: string, schema: JsonSchema): Html {
  const all = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema.required ?? []) as string[]);
  if (all.length === 0) return html`<p>${heading}: none.</p>`;
  const rows = all.map(
    ([name, property]) =>
      html`<div><dt><code>${name}</code> <span class="type">${typeOf(property)}${!required.has(name) && ", optional"}</span></dt><dd>${String(property.description ?? "")}</dd></div>\n`,
  );
  return html`<h3>${heading}</h3>
<dl class="properties">${rows}</dl>`;
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((one) => typeOf(one as JsonSchema)).join(" | ");
  if (schema.type === "array") return `array of ${typeOf((schema.items ?? {}) as JsonSchema)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : String(schema.type ?? "any");
  return schema.default === undefined ? type : `${type}, default ${JSON.stringify(schema.default)}`;
}

/** An example of the required arguments: each has a value of its type. */
function exampleOf(schema: JsonSchema): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const values: Record<string, unknown> = { string: "…", integer: 1, number: 1, boolean: true, array: [] };
  return Object.fromEntries(
    ((schema.required ?? []) as string[]).map((name) => {
      const property = properties[name] ?? {};
      const first = Array.isArray(property.enum) ? property.enum[0] : undefined;
      return [name, first ?? values[String(property.type)] ?? {}];
    }),
  );
}
