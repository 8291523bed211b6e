import { jsonSchemas } from "../tools/arguments/wire-schema.ts";
import type { Tool } from "../tools/tool.ts";

/** JSON Schema 2020-12. OpenAPI 3.1 uses it unchanged. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A tool as the HTTP API describes it: the same schemas as in MCP's `tools/list`. */
export interface ToolDescription {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly scope: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
}

/** Describes a tool from its schemas. In the input schema, arguments with a default are optional. */
export function describeTool(tool: Tool): ToolDescription {
  const { name, title, description, scope } = tool;
  const { input: inputSchema, output: outputSchema } = jsonSchemas(tool);
  return { name, title, description, scope, inputSchema, outputSchema };
}
