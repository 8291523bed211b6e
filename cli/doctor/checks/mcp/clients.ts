import { BUNDLED_SERVER, slotUnits } from "../../../../cloud-init/app.ts";
import { type Check, CheckFailure } from "../../check.ts";
import type { Context } from "../../context.ts";
import { type McpClient, useTools } from "./use-tools.ts";

const CLIENT = { name: "mcp-edge-doctor", version: "1.0.0" };
const MODERN = "2026-07-28";

type Fetch = typeof globalThis.fetch;

const FIX = `See what the server says about the call: journalctl -u '${slotUnits(BUNDLED_SERVER)}' -n 50`;

/** The token is sent in a header. The signal ends every request of the client at the check's time limit. */
function transportOptions(context: Context, fetch: Fetch, signal: AbortSignal) {
  const { token } = context.target;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const limited: Fetch = (input, init) =>
    fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal });
  return { fetch: limited, requestInit: { headers } };
}

async function with2025(
  context: Context,
  fetch: Fetch,
  signal: AbortSignal,
  tools: string[],
): Promise<string> {
  const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
  const { StreamableHTTPClientTransport } = await import(
    "@modelcontextprotocol/sdk/client/streamableHttp.js"
  );
  const url = new URL(`${context.target.origin}/mcp`);
  const transport = new StreamableHTTPClientTransport(url, transportOptions(context, fetch, signal));
  const client = new Client(CLIENT);
  let version = "";
  // The client reports the negotiated version only to its transport.
  const setProtocolVersion = transport.setProtocolVersion.bind(transport);
  transport.setProtocolVersion = (agreed) => {
    version = agreed;
    setProtocolVersion(agreed);
  };
  try {
    // The SDK's own types do not agree under exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    const used = await useTools(client as McpClient, tools);
    await transport.terminateSession();
    return `${version}, ${nameOf(client.getServerVersion())}, ${used}`;
  } finally {
    await client.close();
  }
}

async function with2026(
  context: Context,
  fetch: Fetch,
  signal: AbortSignal,
  tools: string[],
): Promise<string> {
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const url = new URL(`${context.target.origin}/mcp`);
  const transport = new StreamableHTTPClientTransport(url, transportOptions(context, fetch, signal));
  const client = new Client(CLIENT, { versionNegotiation: { mode: { pin: MODERN } } });
  try {
    await client.connect(transport);
    const version = client.getNegotiatedProtocolVersion();
    if (version !== MODERN) throw new CheckFailure(`the server speaks ${version} instead of ${MODERN}`);
    const used = await useTools(client as McpClient, tools);
    return `${version}, ${nameOf(client.getServerVersion())}, ${used}`;
  } finally {
    await client.close();
  }
}

const nameOf = (server: { name: string; version: string } | undefined): string =>
  server === undefined ? "a server without a name" : `${server.name} ${server.version}`;

export const mcp2025: Check = {
  id: "mcp-2025",
  title: "MCP, 2025 client",
  needs: ["http2", "token"],
  tried: ({ target }) =>
    `initialize, tools/list and tools/call at ${target.origin}/mcp over HTTP/2, by the 2025 client`,
  run: (context, signal) => with2025(context, context.http2().fetch, signal, ["list_files"]),
  fix: () => FIX,
};

export const mcp2026: Check = {
  id: "mcp-2026",
  title: "MCP, 2026 client",
  needs: ["http2", "token"],
  tried: ({ target }) =>
    `server/discover, tools/list and tools/call at ${target.origin}/mcp over HTTP/2, by the client pinned to ${MODERN}`,
  run: (context, signal) => with2026(context, context.http2().fetch, signal, ["list_files"]),
  fix: () => FIX,
};

export const mcpHttp3: Check = {
  id: "mcp-http3",
  title: "MCP over HTTP/3",
  needs: ["http3", "token"],
  tried: ({ target }) =>
    `server/discover, tools/list and tools/call at ${target.origin}/mcp over HTTP/3, by the client pinned to ${MODERN}`,
  run: (context, signal) => with2026(context, context.http3().fetch, signal, ["search_text", "list_files"]),
  fix: () => FIX,
};
