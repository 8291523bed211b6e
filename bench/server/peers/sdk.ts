import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import * as z from "zod";
import { LARGE } from "../large.ts";

/** The peer in TypeScript: the same two tools by the official SDK on node:http, a transport for each session. Argument: the port. */
const transports = new Map<string, StreamableHTTPServerTransport>();

const answer = (text: string) => {
  const structuredContent = { text };
  return { structuredContent, content: [{ type: "text" as const, text: JSON.stringify(structuredContent) }] };
};

async function open(): Promise<StreamableHTTPServerTransport> {
  const server = new McpServer({ name: "peer", version: "1" });
  const outputSchema = { text: z.string() };
  server.registerTool("echo", { inputSchema: { text: z.string() }, outputSchema }, async ({ text }) =>
    answer(text),
  );
  server.registerTool("large", { outputSchema }, async () => answer(LARGE));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    enableJsonResponse: true,
    onsessioninitialized: (id) => {
      transports.set(id, transport);
    },
  });
  await server.connect(transport as Parameters<typeof server.connect>[0]);
  return transport;
}

createServer(async (request, response) => {
  const transport = transports.get(String(request.headers["mcp-session-id"])) ?? (await open());
  await transport.handleRequest(request, response);
}).listen(Number(process.argv[2]), "127.0.0.1");
