import type { FastifyInstance } from "fastify";
import type { Tool } from "../tools/tool.ts";

/** Spans of what the server does, sent to the collector that the environment names. */
export interface Tracing {
  /** Adds a server span for each request, with the trace and span ids of its log lines. */
  register(app: FastifyInstance): void;
  /** The same tool, in a span of its own under the request's. */
  tool(tool: Tool): Tool;
  /** Sends the spans that are left. */
  close(): Promise<void>;
}
