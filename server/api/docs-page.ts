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
${table("Argument", tool.inputSchema)}
${table("Result", tool.outputSchema)}
<pre tabindex="0" aria-label="Example of ${tool.name}"><code>${curl}</code></pre></section>
`;
}

function table(heading: string, schema: JsonSchema): Html {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema.required ?? []) as string[]);
  if (properties.length === 0) return html`<p>${heading}: none.</p>`;
  const rows = properties.map(
    ([name, property]) =>
      html`<tr><td><code>${name}</code></td><td>${typeOf(property)}${!required.has(name) && ", optional"}</td><td>${String(property.description ?? "")}</td></tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="${heading}s" tabindex="0"><table class="wrapped"><thead><tr><th scope="col">${heading}</th><th scope="col">Type</th><th scope="col">Description</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
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
