import type { FastifyInstance } from "fastify";
import type { MessageObserver } from "../mcp/message-observer.ts";
import type { Tool } from "../tools/tool.ts";

/** Spans of what the server does, sent to the collector that the environment names. */
export interface Tracing {
  /** Adds a server span for each request, with the trace and span ids of its log lines. */
  register(app: FastifyInstance): void;
  /** Adds a span for each message of an MCP client, and the metrics of messages and sessions. */
  readonly messages: MessageObserver;
  /** The same tool, in a span of its own under the request's where no MCP message is handled. */
  tool(tool: Tool): Tool;
  /** Sends the spans and metrics that are left. */
  close(): Promise<void>;
}
