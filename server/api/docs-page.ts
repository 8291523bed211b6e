import { htmlSafe, page } from "../http/page.ts";
import type { JsonSchema, ToolDescription } from "./json-schema.ts";

export interface DocsPageOptions {
  /** The origin that clients use, such as https://mcp.example.com. */
  origin: string;
  needsToken: boolean;
  tools: readonly ToolDescription[];
}

/** The page at /api: the OpenAPI document in readable form, without scripts. Swagger UI is at /api/docs. A pure function. */
export function docsPage({ origin, needsToken, tools }: DocsPageOptions): string {
  const openapi = `${origin}/api/openapi.json`;
  return page(
    "mcp-edge: tools over HTTP",
    `<p>Call a tool by POST with its arguments as a JSON object. The response is JSON. The machine-readable form, for any OpenAPI 3.1 tool:
<a href="/api/openapi.json">${htmlSafe(openapi)}</a>. To try them in the browser: <a href="/api/docs">/api/docs</a>.</p>
<p>An error is <code>{"error": …, "request_id": …}</code> with the status 400 (arguments), 401 or 403 (token), 422 (the tool failed), or
429 or 503 (try again later; see <code>Retry-After</code>).</p>
<ul>
${tools.map((tool) => `<li><a href="#${htmlSafe(tool.name)}">${htmlSafe(tool.name)}</a>: ${htmlSafe(tool.title)}</li>`).join("\n")}
</ul>
${tools.map((tool) => toolSection(tool, origin, needsToken)).join("\n")}`,
  );
}

function toolSection(tool: ToolDescription, origin: string, needsToken: boolean): string {
  const curl = [
    `curl ${origin}/api/tools/${tool.name}`,
    ...(needsToken ? ['  -H "Authorization: Bearer $MCP_TOKEN"'] : []),
    '  -H "Content-Type: application/json"',
    `  -d '${JSON.stringify(exampleOf(tool.inputSchema))}'`,
  ].join(" \\\n");
  return `<h2 id="${htmlSafe(tool.name)}">${htmlSafe(tool.name)}</h2>
<p>${htmlSafe(tool.description)}</p>
${table("Argument", tool.inputSchema)}
${table("Answer", tool.outputSchema)}
<pre><code>${htmlSafe(curl)}</code></pre>`;
}

function table(heading: string, schema: JsonSchema): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema.required ?? []) as string[]);
  if (properties.length === 0) return `<p>${heading}: none.</p>`;
  const rows = properties.map(
    ([name, property]) =>
      `<tr><td><code>${htmlSafe(name)}</code><td>${htmlSafe(typeOf(property))}${required.has(name) ? "" : ", optional"}<td>${htmlSafe(String(property.description ?? ""))}`,
  );
  return `<table><tr><th>${heading}<th>Type<th>\n${rows.join("\n")}\n</table>`;
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
