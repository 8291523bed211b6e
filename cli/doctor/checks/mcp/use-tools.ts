import { CheckFailure } from "../../check.ts";

/** The methods of both generations of the official client that are used here. */
export interface McpClient {
  listTools(): Promise<{ tools: ToolFacts[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}

interface ToolFacts {
  name: string;
  inputSchema: { required?: string[] | undefined; properties?: Record<string, unknown> | undefined };
  annotations?: { readOnlyHint?: boolean | undefined } | undefined;
}

interface ToolResult {
  isError?: boolean;
  content?: { type: string; text?: string }[];
  structuredContent?: { matches?: { path?: string; line?: number }[]; total?: number };
}

/** A word that nearly every repository contains. */
const QUERY = "the";

/**
 * Lists the tools and calls one: the first of `preferred` that exists, or else a read-only one without required arguments.
 * @returns a description of the result
 */
export async function useTools(client: McpClient, preferred: string[]): Promise<string> {
  const { tools } = await client.listTools();
  if (tools.length === 0) throw new CheckFailure("tools/list is empty");
  const tool =
    preferred.map((name) => tools.find((one) => one.name === name)).find((one) => one !== undefined) ??
    tools.find((one) => one.annotations?.readOnlyHint === true && !one.inputSchema.required?.length);
  const count = `${tools.length} tool${tools.length === 1 ? "" : "s"}`;
  if (tool === undefined) {
    const names = tools.map((one) => one.name).slice(0, 5);
    throw new CheckFailure(
      `${count} (${names.join(", ")}), none that can be called without knowing its arguments`,
    );
  }
  const result = (await client.callTool({ name: tool.name, arguments: argumentsFor(tool) })) as ToolResult;
  const text = result.content?.find((part) => part.type === "text")?.text ?? "";
  if (result.isError) throw new CheckFailure(`${tool.name} answered an error: ${text.slice(0, 200)}`);
  return `${count}, ${tool.name}: ${describe(result, text)}`;
}

function argumentsFor(tool: ToolFacts): Record<string, unknown> {
  const known = tool.inputSchema.properties ?? {};
  const given: Record<string, unknown> = { query: QUERY, pattern: QUERY, max_results: 1 };
  return Object.fromEntries(Object.entries(given).filter(([name]) => name in known));
}

function describe({ structuredContent }: ToolResult, text: string): string {
  const [match] = structuredContent?.matches ?? [];
  if (match?.path !== undefined) return `found ${match.path}:${match.line}`;
  if (structuredContent?.total !== undefined) return `${structuredContent.total} files`;
  return `${text.length} characters`;
}
