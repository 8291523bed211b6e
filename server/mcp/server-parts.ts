import type { McpServer, McpServerOptions, ServerEvent } from "@modelcontextprotocol/server";
import type { FastifyBaseLogger } from "fastify";
import type { Principal } from "../auth/principal.ts";
import type { Capabilities } from "../capabilities/registry.ts";
import type { Grants } from "../grants/grants.ts";
import { currentOrigin } from "../shares/caller.ts";
import type { Counted } from "../shares/counted.ts";
import type { Tool, ToolContext } from "../tools/tool.ts";

/** Publishes an event to the clients of both eras that are connected to this instance. */
export type Publish = (event: ServerEvent) => void;

/** Additional tools, prompts and resources, with the options that they need. The conformance fixtures use it. */
export interface Profile {
  readonly options?: McpServerOptions;
  register(server: McpServer, publish: Publish): void;
  /** Whether a resource that the workspace does not know may be subscribed to. */
  readonly watches?: (uri: string) => boolean;
}

/** What the MCP servers of all callers share. */
export interface ServerParts {
  readonly tools: readonly Tool[];
  /** Who may see what. */
  readonly grants: Grants;
  readonly context: Omit<ToolContext, "signal" | "progress" | "log">;
  readonly log: FastifyBaseLogger;
  /** Counts a caller's prompts and resources in progress. Tools count their calls themselves. */
  readonly calls: Counted;
  readonly publish: Publish;
  /** Tools whose needs are missing here are not listed. */
  readonly capabilities?: Capabilities | undefined;
  readonly profile?: Profile | undefined;
  /** Calls of tools and kept results are answered without the SDK where the answer is the same. */
  readonly direct: boolean;
  /** Whether tools for ChatGPT are offered to every client. */
  readonly chatGptTools?: "auto" | "always" | undefined;
  /** When the server was put together, by `performance.now()`. */
  readonly startedAt: number;
}

/** Maximum number of elements in the arguments of a tool, at all depths. */
export const MAX_INPUT_ELEMENTS = 1_000;

/** The tools that a caller may use by scopes and grants, whether or not this server has what they need at the moment. */
export function allowedTools(parts: ServerParts, principal: Principal): Tool[] {
  const access = parts.grants.access(principal);
  return parts.tools.filter((tool) => access.allows(tool) && isOffered(parts, tool, principal));
}

/** Whether the client of the current request is offered a tool that is meant for one client. */
export function isOffered(
  { chatGptTools }: Pick<ServerParts, "chatGptTools">,
  tool: Tool,
  principal: Principal,
): boolean {
  return tool.onlyFor === undefined || chatGptTools === "always" || isChatGpt(principal);
}

/** ChatGPT signs in with one of its client ids, and its connector calls itself `openai-mcp/1.0.0 (ChatGPT)`. */
export function isChatGpt({ client }: Principal): boolean {
  const userAgent = currentOrigin()?.userAgent ?? "";
  return /^https:\/\/(chatgpt|openai)\.com\//.test(client ?? "") || /openai-mcp|chatgpt/i.test(userAgent);
}

/** The tools that a caller may use now. */
export function visibleTools(parts: ServerParts, principal: Principal): Tool[] {
  return allowedTools(parts, principal).filter((tool) => parts.capabilities?.allow(tool) ?? true);
}
