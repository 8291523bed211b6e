import { once } from "node:events";
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { freePort } from "../../../support/free-port.ts";

export const TOKEN = "mcp_pat_lab_0123456789";

type Request = IncomingMessage | Http2ServerRequest;
/** The part that the answers of node:http and of node:http2's compatible API have in common. */
interface Response {
  writeHead(status: number, headers?: OutgoingHttpHeaders): Pick<Response, "write" | "end">;
  write(part: string | Uint8Array): boolean;
  end(part?: string | Uint8Array): unknown;
  on(event: "close", listener: () => void): unknown;
  destroy(): unknown;
}
export type Handler = (request: Request, response: Response) => void | Promise<void>;

/** Milliseconds between the keep-alive comments of this server. The real server waits 15 s. */
const KEEP_ALIVE_MS = 200;

function tools(): McpServer {
  const server = new McpServer({ name: "stand-in", version: "1.2.3" });
  const list = { total: 3 };
  server.registerTool(
    "list_files",
    { description: "Lists files", inputSchema: z.object({}), outputSchema: z.object({ total: z.int() }) },
    () => ({ content: [{ type: "text", text: JSON.stringify(list) }], structuredContent: list }),
  );
  const found = { matches: [{ path: "README.md", line: 7 }] };
  const match = z.object({ path: z.string(), line: z.int() });
  server.registerTool(
    "search_text",
    {
      description: "Searches",
      inputSchema: z.object({ query: z.string() }),
      outputSchema: z.object({ matches: z.array(match) }),
    },
    () => ({ content: [{ type: "text", text: JSON.stringify(found) }], structuredContent: found }),
  );
  return server;
}

const mcp = createMcpHandler(tools, { legacy: "stateless" });

/** `/mcp` of both protocol eras, behind a token. */
export const mcpRoute: Handler = async (request, response) => {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    request.resume();
    response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    return;
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(":") && value !== undefined) headers.set(name, String(value));
  }
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bodiless = request.method === "GET" || request.method === "DELETE";
  const answer = await mcp.fetch(
    new Request(`http://edge.test${request.url}`, {
      method: request.method ?? "GET",
      headers,
      ...(bodiless ? {} : { body: Buffer.concat(parts) }),
    }),
  );
  // HTTP/2 has no connection header.
  answer.headers.delete("connection");
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const part of answer.body ?? []) response.write(part);
  response.end();
};

/** A stream that opens with a comment, sends `n` events (for ever by default) and keep-alive comments. */
const sseRoute: Handler = (request, response) => {
  const query = new URL(request.url ?? "/", "http://x").searchParams;
  const total = Number(query.get("n") ?? Number.POSITIVE_INFINITY);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": open\n\n");
  let sent = 0;
  const events = setInterval(
    () => {
      response.write(`data: ${sent}\n\n`);
      if (++sent >= total) response.end();
    },
    Number(query.get("ms") ?? 50),
  );
  const keeping = setInterval(() => response.write(": keep-alive\n\n"), KEEP_ALIVE_MS);
  response.on("close", () => {
    clearInterval(events);
    clearInterval(keeping);
  });
};

export const ROUTES: Record<string, Handler> = {
  "/": (request, response) => {
    request.resume();
    response.end(JSON.stringify({ method: request.method, protocol: request.headers["x-http-version"] }));
  },
  "/mcp": mcpRoute,
  "/demo/stream": sseRoute,
  "/readyz": (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ready: true, release: "0123456789abcdef", colour: "blue", checks: {} }));
  },
  "/count": async (request, response) => {
    let bytes = 0;
    for await (const part of request) bytes += (part as Buffer).length;
    response.end(JSON.stringify({ bytes, length: request.headers["content-length"] ?? null }));
  },
  "/echo": (request, response) => {
    response.writeHead(200);
    (response as unknown as ServerResponse).flushHeaders();
    request.pipe(response as unknown as ServerResponse);
  },
  "/big": (_request, response) => {
    response.end(Buffer.alloc(3_000_000, "a"));
  },
  "/headers": (_request, response) => {
    response.writeHead(200, { "set-cookie": ["a=1", "b=2"], "content-length": 5, "x-one": "1" });
    response.end("hello");
  },
  "/empty": (_request, response) => {
    response.writeHead(204).end();
  },
  "/moved": (_request, response) => {
    response.writeHead(307, { location: "/elsewhere" }).end();
  },
  "/hang": () => undefined,
};

export interface Backend {
  port: number;
  /** The number of open requests of `/demo/stream` and `/hang`. */
  open(): number;
  close(): Promise<void>;
}

/**
 * The server behind the edge, plain HTTP/1.1 on loopback. `routes` replaces or adds to the usual ones. When it is closed, nothing else
 * gets its port, where the edge goes on asking.
 */
export async function startBackend(routes: Record<string, Handler> = {}): Promise<Backend> {
  const all = { ...ROUTES, ...routes };
  let open = 0;
  const server = createServer((request, response) => {
    open++;
    response.on("close", () => open--);
    const route = all[new URL(request.url ?? "/", "http://x").pathname];
    if (route === undefined) response.writeHead(404).end();
    else void route(request, response);
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    open: () => open,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
