import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Loading, Served } from "./load-types.ts";

const CONNECTIONS = 16;

const JSON_RPC = { "content-type": "application/json", accept: "application/json, text/event-stream" };
/** The answer of `echo` has 200 bytes of content, as text and as structure. */
const TEXT = "it comes back".padEnd(80, ".");
const message = (method: string, params: object) =>
  JSON.stringify({ jsonrpc: "2.0", id: "[<id>]", method, params });
const call = (name: string, more: object = {}) =>
  message("tools/call", { name, arguments: name === "echo" ? { text: TEXT } : {}, ...more });
/** What each answer contains. */
const EXPECTED: Readonly<Record<string, string>> = {
  echo: TEXT,
  large: "xxxx",
  huge: "xxxx",
  "huge-made": "xxxx",
  "": '"tools"',
};
const expected = (name = "") => EXPECTED[name] ?? '"structuredContent"';
const connections = (headers: Record<string, string>) => Array.from({ length: CONNECTIONS }, () => headers);

export const plain =
  (name: string): Loading =>
  async ({ url }) => ({
    url,
    connections: connections(JSON_RPC),
    body: call(name),
    expect: expected(name),
  });

/** A session for each connection. */
export const sessions =
  (name: string): Loading =>
  async ({ url, headers }) => {
    const ids: string[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const client = new Client({ name: "bench", version: "1" });
      const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
      await client.connect(transport);
      ids.push(transport.sessionId ?? "");
    }
    const all = ids.map((id) => ({
      ...JSON_RPC,
      ...headers,
      ...(id ? { "mcp-session-id": id } : {}),
      "mcp-protocol-version": "2025-11-25",
    }));
    return { url, connections: all, body: call(name), expect: expected(name) };
  };

/** Opens a session, with as little as that takes. @returns the headers of its requests */
export async function initialized({ url, headers }: Served): Promise<Record<string, string>> {
  const version = "2025-11-25";
  const send = (sent: Record<string, string>, body: object) =>
    fetch(url, { method: "POST", headers: { ...JSON_RPC, ...headers, ...sent }, body: JSON.stringify(body) });
  const clientInfo = { name: "bench", version: "1" };
  const params = { protocolVersion: version, capabilities: {}, clientInfo };
  const opened = await send({}, { jsonrpc: "2.0", id: 0, method: "initialize", params });
  if (!opened.ok) throw new Error(`no session: HTTP/1.1 ${opened.status} ${await opened.text()}`);
  await opened.text();
  const session = {
    "mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
    "mcp-protocol-version": version,
  };
  await send(session, { jsonrpc: "2.0", method: "notifications/initialized" });
  return { ...headers, ...session };
}

/** No session: each request brings its envelope. */
export const envelopes =
  (method: "tools/call" | "tools/list", name?: string, args?: object): Loading =>
  async ({ url, headers }) => {
    const version = "2026-07-28";
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const all = {
      ...JSON_RPC,
      ...headers,
      "mcp-protocol-version": version,
      "mcp-method": method,
      ...(name ? { "mcp-name": name } : {}),
    };
    const body = name
      ? call(name, { _meta, ...(args ? { arguments: args } : {}) })
      : message(method, { _meta });
    return { url, connections: connections(all), body, expect: expected(name) };
  };
