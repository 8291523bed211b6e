import {
  McpServer,
  type McpServerOptions,
  ResourceNotFoundError,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import { ANONYMOUS, type Principal } from "../auth/principal.ts";
import type { Capabilities } from "../capabilities/registry.ts";
import type { Counted } from "../shares/counted.ts";
import { ToolError } from "../tool-error.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";
import { wireSchemas } from "../tools/wire-schema.ts";
import { NAME, VERSION } from "../version.ts";
import { allowedTools, visibleTools } from "./catalog.ts";
import type { Notify } from "./changes.ts";
import { progressOf } from "./progress.ts";
import { registerPrompts } from "./prompts.ts";
import { canonicalUri, registerResources, resourceVersion } from "./resources.ts";
import type { SessionHooks } from "./sessions.ts";

const INSTRUCTIONS =
  "Read-only access to the git repositories on this machine. Find places with search_text, then read them with read_file; list_files shows what there is. Where the index is built, find_symbol and find_references know definitions and uses.";

/** More tools, prompts and resources, and the options that they need: how the conformance fixtures get in. */
export interface Profile {
  readonly options?: McpServerOptions;
  register(server: McpServer, notify: Notify): void;
  /** Whether a resource may be subscribed to that the workspace does not know. */
  readonly watches?: (uri: string) => boolean;
}

export interface ServerParts {
  readonly tools: readonly Tool[];
  readonly context: Omit<ToolContext, "signal" | "progress" | "log">;
  readonly log: FastifyBaseLogger;
  /** Counts what a caller has at work; the tools count for themselves. */
  readonly calls: Counted;
  readonly notify?: Notify;
  /** Tools whose needs it lacks are not listed. */
  readonly capabilities?: Capabilities | undefined;
  readonly profile?: Profile | undefined;
  /** When the server was put together, by `performance.now()`. */
  readonly startedAt: number;
}

export interface ServerFor {
  readonly principal: Principal;
  readonly era: "legacy" | "modern";
  /** The method of the one request that is to be served (2026 era); without it, everything is registered. */
  readonly method?: string | undefined;
  /** The tool that the one request calls, where it says so: the others need not be registered. */
  readonly tool?: string | undefined;
  readonly hooks?: SessionHooks;
}

/** An MCP server for one caller: a 2025 session's, or one request's in the 2026 era. It knows only what the caller may use. */
export function buildMcpServer(
  parts: ServerParts,
  { principal, era, method, tool: called, hooks }: ServerFor,
): McpServer {
  const { profile, calls } = parts;
  const server = new McpServer(
    { name: NAME, title: "mcp-edge", version: VERSION },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        // Without a session nobody can be told of updates in the 2025 era.
        resources: { listChanged: true, subscribe: era === "modern" || hooks !== undefined },
        completions: {},
        logging: {},
      },
      instructions: INSTRUCTIONS,
      maxToolInputElements: 1_000,
      // The lists depend on the caller's scopes, so no shared cache may keep them.
      cacheHints: {
        "tools/list": { ttlMs: toolsTtlMs(parts, principal), cacheScope: "private" },
        "prompts/list": { ttlMs: 300_000, cacheScope: "private" },
        "resources/list": { ttlMs: 60_000, cacheScope: "private" },
        "resources/templates/list": { ttlMs: 300_000, cacheScope: "private" },
      },
      ...profile?.options,
    },
  );
  const wants = (...groups: string[]) => method === undefined || groups.some((g) => method.startsWith(g));
  const mayRead = principal.scopes.includes("code:read");
  // A session outlives changes of what there is: its tools come and go. One request's do not.
  const tools = hooks ? allowedTools(parts, principal) : visibleTools(parts, principal);
  if (wants("tools/"))
    for (const tool of tools) if (called === undefined || tool.name === called) register(server, tool, parts);
  if (mayRead && wants("resources/", "completion/"))
    registerResources(server, parts.context.workspace, calls);
  if (mayRead && wants("prompts/", "completion/")) registerPrompts(server, parts.context, calls);
  if (hooks) subscriptions(server, parts, mayRead, hooks);
  if (parts.notify) profile?.register(server, parts.notify);
  return server;
}

/** After a start, milliseconds: what the server can do is known by then. */
const SETTLED_MS = 300_000;

/**
 * How long a client may keep its list of tools, milliseconds: short while a tool is missing that may come any moment, as after each start
 * until the index is there.
 */
function toolsTtlMs(parts: ServerParts, principal: Principal): number {
  const complete = visibleTools(parts, principal).length === allowedTools(parts, principal).length;
  // What has not come by then is not configured.
  return complete || performance.now() - parts.startedAt > SETTLED_MS ? 300_000 : 10_000;
}

function register(server: McpServer, tool: Tool, { context, log, capabilities }: ServerParts): void {
  const schemas = wireSchemas(tool);
  const registered = server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: schemas.input,
      outputSchema: schemas.output,
      annotations: {
        title: tool.title,
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    async (args, ctx) => {
      const { signal } = ctx.mcpReq;
      const say: ToolContext["log"] = (level, message) => void ctx.mcpReq.log(level, message, tool.name);
      try {
        const progress = progressOf(ctx);
        const structuredContent = await tool.run(args, { ...context, signal, progress, log: say });
        // Clients of before 2025-06-18 read only the text: the same JSON.
        return { structuredContent, content: [{ type: "text", text: JSON.stringify(structuredContent) }] };
      } catch (error) {
        return { isError: true, content: [{ type: "text", text: explain(error, tool.name, ctx, log) }] };
      }
    },
  );
  // The SDK reads it at each list and call. Who tells the client of the change is watch.ts.
  if (capabilities)
    Object.defineProperty(registered, "enabled", { get: () => capabilities.allow(tool), enumerable: true });
}

function explain(error: unknown, tool: string, ctx: ServerContext, log: FastifyBaseLogger): string {
  if (error instanceof ToolError) return error.message;
  if (ctx.mcpReq.signal.aborted) return "The call was cancelled.";
  log.error({ err: error, tool }, "tool failed");
  return "The tool failed inside the server; its log says why.";
}

/** 2025 era: `resources/subscribe`; who asks first must be able to read. */
function subscriptions(server: McpServer, parts: ServerParts, mayRead: boolean, hooks: SessionHooks): void {
  server.server.setRequestHandler("resources/subscribe", async ({ params }) => {
    const uri = canonicalUri(params.uri);
    const version = mayRead ? await resourceVersion(parts.context.workspace, uri) : "";
    if (version === "" && !parts.profile?.watches?.(uri)) throw new ResourceNotFoundError(uri);
    await hooks.subscribe(uri, version);
    return {};
  });
  server.server.setRequestHandler("resources/unsubscribe", async ({ params: { uri } }) => {
    await hooks.unsubscribe(canonicalUri(uri));
    return {};
  });
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
