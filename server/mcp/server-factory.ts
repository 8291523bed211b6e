import { McpServer } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { ANONYMOUS, type Principal } from "../auth/principal.ts";
import type { Capabilities } from "../capabilities/registry.ts";
import { ToolError } from "../tool-error.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";
import { NAME, VERSION } from "../version.ts";

const INSTRUCTIONS =
  "Read-only access to the git repositories on this machine. Find places with search_text, then read them with read_file; list_files shows what there is.";

export interface ServerParts {
  readonly tools: readonly Tool[];
  readonly context: Omit<ToolContext, "signal">;
  readonly log: FastifyBaseLogger;
  /** Tools whose needs it lacks are not listed. */
  readonly capabilities?: Capabilities | undefined;
}

/** An MCP server for one caller: a 2025 session's, or one request's in the 2026 era. It knows only the tools that the caller may use. */
export function buildMcpServer(parts: ServerParts, principal: Principal): McpServer {
  const server = new McpServer(
    { name: NAME, title: "mcp-edge", version: VERSION },
    {
      capabilities: { tools: {} },
      instructions: INSTRUCTIONS,
      maxToolInputElements: 1_000,
      // The list depends on the caller's scopes, so no shared cache may keep it.
      cacheHints: { "tools/list": { ttlMs: 300_000, cacheScope: "private" } },
    },
  );
  for (const tool of parts.tools)
    if (principal.scopes.includes(tool.capability) && (parts.capabilities?.allow(tool) ?? true))
      register(server, tool, parts);
  return server;
}

function register(server: McpServer, tool: Tool, { context, log }: ServerParts): void {
  server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: tool.input,
      outputSchema: tool.output,
      annotations: {
        title: tool.title,
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    async (args, ctx) => {
      try {
        const structuredContent = await tool.run(args, { ...context, signal: ctx.mcpReq.signal });
        // Clients of before 2025-06-18 read only the text: the same JSON.
        return { structuredContent, content: [{ type: "text", text: JSON.stringify(structuredContent) }] };
      } catch (error) {
        return {
          isError: true,
          content: [{ type: "text", text: explain(error, tool.name, ctx.mcpReq.signal, log) }],
        };
      }
    },
  );
}

function explain(error: unknown, tool: string, signal: AbortSignal, log: FastifyBaseLogger): string {
  if (error instanceof ToolError) return error.message;
  if (signal.aborted) return "The call was cancelled.";
  log.error({ err: error, tool }, "tool failed");
  return "The tool failed inside the server; its log says why.";
}

/** The caller as the SDK passes it through to a factory; the token itself stays out of it. */
export function authInfoOf(principal: Principal) {
  return { token: "", clientId: principal.id, scopes: [...principal.scopes], extra: { principal } };
}

/** The caller that authInfoOf put in. Without one, the least that there is. */
export function principalOf(authInfo: { extra?: Record<string, unknown> } | undefined): Principal {
  return (authInfo?.extra?.principal as Principal | undefined) ?? NOBODY;
}

const NOBODY: Principal = { ...ANONYMOUS, scopes: [] };
