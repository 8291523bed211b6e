import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { type Http3Client, type Http3FetchOptions, http3Fetch } from "../../../cli/http3/http3-fetch.ts";
import { freePort } from "../../support/free-port.ts";
import { type Backend, type Handler, startBackend, TOKEN } from "./servers/backend.ts";
import { type Authority, createAuthority } from "./servers/certificates.ts";
import { type Nginx, startNginx } from "./servers/nginx.ts";

let authority: Authority;
let backend: Backend;
let nginx: Nginx;
let client: Http3Client;
let port: number;
let origin: string;

/** Limit of what is expected to succeed, milliseconds: a busy host may be slow, or give a process no time for seconds. */
const PATIENCE_MS = 60_000;

const open = (options: Http3FetchOptions = {}): Http3Client =>
  http3Fetch({ ca: authority.ca, address: "127.0.0.1", connectTimeoutMs: PATIENCE_MS, ...options });

/** How the responses of `/steps` go on, by the id in the query. */
const steps = new Map<string, (text: string) => void>();
/** Interrupts the response of `/cut`. */
let cut = (): void => undefined;

const ROUTES: Record<string, Handler> = {
  "/steps": (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    const id = new URL(request.url ?? "/", "http://x").search;
    steps.set(id, (text) => (text === "" ? response.end() : response.write(text)));
  },
  "/cut": (_request, response) => {
    response.writeHead(200);
    response.write("half");
    cut = () => void response.destroy();
  },
};

/** Runs `work` `count` times, `width` at a time. */
async function many(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

async function rejection(
  promise: Promise<unknown>,
): Promise<{ name?: string; code?: string; message: string }> {
  return promise.then(
    () => {
      throw new Error("it was expected to fail");
    },
    (error) => error,
  );
}

beforeAll(async () => {
  authority = createAuthority();
  backend = await startBackend(ROUTES);
  port = await freePort();
  const certificate = authority.issue("edge.test");
  const { folder } = authority;
  nginx = await startNginx({ folder, certificate, port, httpPort: await freePort(), backend: backend.port });
  origin = `https://edge.test:${port}`;
  client = open();
}, 300_000);

afterAll(async () => {
  await client?.close();
  await nginx?.stop();
  await backend?.close();
  authority?.remove();
});

describe("requests to NGINX over HTTP/3", () => {
  test("share one connection: 200 in a row, and more at a time than the server allows", async () => {
    let connections = 0;
    const own = open({ onConnect: () => connections++ });
    const get = async (): Promise<void> => {
      const response = await own.fetch(`${origin}/`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ method: "GET", protocol: "HTTP/3.0" });
    };
    await many(200, 1, get);
    await many(300, 300, get);
    expect(connections).toBe(1);
    await own.close();
  });

  test("work over 40 new connections in a row", async () => {
    await many(40, 1, async () => {
      const own = open();
      expect((await own.fetch(`${origin}/`)).status).toBe(200);
      await own.close();
    });
  });

  test("send bodies of 1 MB with their length, ten at a time", async () => {
    const body = new Uint8Array(1 << 20).fill(98);
    await many(30, 10, async () => {
      const response = await client.fetch(`${origin}/count`, { method: "POST", body });
      expect(await response.json()).toEqual({ bytes: 1 << 20, length: String(1 << 20) });
    });
  });

  test("send a streamed body while the response arrives", async () => {
    const parts = new TransformStream<Uint8Array, Uint8Array>();
    const writer = parts.writable.getWriter();
    const response = await client.fetch(`${origin}/echo`, {
      method: "POST",
      body: parts.readable,
      duplex: "half",
    } as RequestInit);
    const reader = response.body?.getReader();
    for (const word of ["one", "two", "three"]) {
      await writer.write(Buffer.from(word));
      const { value } = (await reader?.read()) ?? {};
      expect(Buffer.from(value ?? []).toString()).toBe(word);
    }
    await writer.close();
    expect((await reader?.read())?.done).toBe(true);
  });

  test("receive responses of 3 MB, thirty at a time", async () => {
    await many(60, 30, async () => {
      const response = await client.fetch(`${origin}/big`);
      expect((await response.arrayBuffer()).byteLength).toBe(3_000_000);
    });
  });

  test("receive thirty event streams at a time, completely and in order", async () => {
    await many(30, 30, async (index) => {
      const response = await client.fetch(`${origin}/steps?${index}`);
      const events = ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "data: 4\n\n"];
      const rest = ["", ...events.toReversed()];
      const wanted = `: open\n\n${events.join("")}`;
      let text = "";
      // Each event is sent when the one before it has arrived: a response that is collected on its way would not go on.
      for await (const piece of response.body ?? []) {
        text += Buffer.from(piece).toString();
        expect(wanted.startsWith(text)).toBe(true);
        if (text.endsWith("\n\n")) steps.get(`?${index}`)?.(rest.pop() ?? "");
      }
      expect(text).toBe(wanted);
    });
  });

  test("treat headers, HEAD, 204, redirects and Request objects as fetch does", async () => {
    const response = await client.fetch(`${origin}/headers`);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.url).toBe(`${origin}/headers`);
    expect(await response.text()).toBe("hello");

    const head = await client.fetch(`${origin}/headers`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), head.body]).toEqual([200, "5", null]);

    const empty = await client.fetch(`${origin}/empty`);
    expect([empty.status, empty.body]).toEqual([204, null]);

    const moved = await client.fetch(`${origin}/moved`);
    expect([moved.status, moved.headers.get("location")]).toEqual([307, "/elsewhere"]);
    const refused = await rejection(client.fetch(`${origin}/moved`, { redirect: "error" }));
    expect(refused.code).toBe("redirect");

    const posted = await client.fetch(new Request(`${origin}/count`, { method: "POST", body: "abc" }));
    expect(await posted.json()).toMatchObject({ bytes: 3 });
  });
});

describe("cancellation", () => {
  const settled = async (): Promise<void> => {
    const end = Date.now() + PATIENCE_MS;
    while (backend.open() > 0 && Date.now() < end) await delay(50);
    expect(backend.open()).toBe(0);
  };

  test("by an abort during a stream ends it here and at the server, and keeps the connection", async () => {
    await many(20, 10, async () => {
      const abort = new AbortController();
      const response = await client.fetch(`${origin}/demo/stream`, { signal: abort.signal });
      const reader = response.body?.getReader();
      await reader?.read();
      abort.abort();
      const error = await rejection(
        (async () => {
          for (;;) await reader?.read();
        })(),
      );
      expect(error.name).toBe("AbortError");
    });
    await settled();
    expect((await client.fetch(`${origin}/`)).status).toBe(200);
  });

  test("by an abort works before the response, before the connection and before the call", async () => {
    const late = await rejection(client.fetch(`${origin}/hang`, { signal: AbortSignal.timeout(100) }));
    expect(late.name).toBe("TimeoutError");
    const silent = createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    // The limit is also how long close() waits for the attempt.
    const own = open({ port: silent.address().port, connectTimeoutMs: 5_000 });
    const abort = new AbortController();
    silent.once("message", () => abort.abort());
    const early = await rejection(own.fetch(`${origin}/`, { signal: abort.signal }));
    expect(early.name).toBe("AbortError");
    const before = await rejection(client.fetch(`${origin}/`, { signal: AbortSignal.abort() }));
    expect(before.name).toBe("AbortError");
    await own.close();
    silent.close();
    await settled();
  });

  test("of the body ends the stream at the server", async () => {
    const response = await client.fetch(`${origin}/demo/stream`);
    await response.body?.cancel();
    await settled();
  });

  test("happens without response headers within the time limit", async () => {
    const own = open({ headersTimeoutMs: 200 });
    const error = await rejection(own.fetch(`${origin}/hang`));
    expect(error.code).toBe("headers-timeout");
    expect(error.message).toBe(`no response after 200 ms (edge.test at 127.0.0.1 port ${port}/udp)`);
    await own.close();
    await settled();
  });

  test("by close() ends running requests, and later calls are refused", async () => {
    const own = open();
    const response = await own.fetch(`${origin}/demo/stream`);
    const reader = response.body?.getReader();
    await reader?.read();
    const reading = rejection(
      (async () => {
        for (;;) await reader?.read();
      })(),
    );
    await own.close();
    expect((await reading).code).toBe("closed");
    expect((await rejection(own.fetch(`${origin}/`))).code).toBe("client-closed");
  });
});

describe("errors name the problem and the server", () => {
  test("for a certificate of another authority", async () => {
    const other = createAuthority("Other root");
    const own = open({ ca: other.ca });
    const error = await rejection(own.fetch(`${origin}/`));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe("handshake");
    expect(error.message).toContain("not signed by a trusted authority");
    expect(error.message).toContain(`edge.test at 127.0.0.1 port ${port}/udp`);
    await own.close();
    other.remove();
  });

  test("if no server listens, at the time limit", async () => {
    const own = open({ port: await freePort(), connectTimeoutMs: 400 });
    const error = await rejection(own.fetch(`${origin}/`));
    expect(error.code).toBe("connect-timeout");
    expect(error.message).toContain("no QUIC handshake within 400 ms");
    await own.close();
  });

  test("for a name without an address, and for a URL that is not https", async () => {
    const own = http3Fetch({ connectTimeoutMs: PATIENCE_MS });
    expect((await rejection(own.fetch("https://nobody.invalid/"))).code).toBe("unresolved");
    expect((await rejection(own.fetch("http://edge.test/"))).message).toContain("Only https");
    await own.close();
  });

  test("if the server behind the edge interrupts a response", async () => {
    const response = await client.fetch(`${origin}/cut`);
    // Not before the response has begun here: its start would be lost with the rest.
    cut();
    const error = await rejection(response.text());
    expect(error.code).toBe("reset");
  });

  test("if a worker is killed, and the next request uses the new worker", async () => {
    const own = open();
    const response = await own.fetch(`${origin}/demo/stream`);
    const text = rejection(response.text());
    for (const worker of nginx.workers()) process.kill(worker, "SIGKILL");
    for (let tries = 0; tries < 50; tries++) {
      const again = await own
        .fetch(`${origin}/`, { signal: AbortSignal.timeout(2_000) })
        .catch(() => undefined);
      if (again?.status === 200) break;
      await delay(100);
    }
    expect((await own.fetch(`${origin}/`)).status).toBe(200);
    expect((await text).code).toBe("closed");
    await own.close();
  });
});

describe("real MCP clients over HTTP/3", () => {
  const url = (): URL => new URL(`${origin}/mcp`);
  let own: Http3Client;
  beforeAll(() => {
    own = open();
  });
  afterAll(() => own.close());
  const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };

  test("include the 2026 client, pinned to 2026-07-28", async () => {
    const mcp = new Client(
      { name: "test", version: "1" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    await mcp.connect(new StreamableHTTPClientTransport(url(), { fetch: own.fetch, requestInit }));
    expect(mcp.getNegotiatedProtocolVersion()).toBe("2026-07-28");
    expect((await mcp.listTools()).tools.map((tool) => tool.name)).toEqual(["list_files", "search_text"]);
    const result = await mcp.callTool({ name: "search_text", arguments: { query: "x" } });
    expect(result.structuredContent).toEqual({ matches: [{ path: "README.md", line: 7 }] });
    await mcp.close();
  });

  test("include the 2025 client", async () => {
    const mcp = new Client2025({ name: "test", version: "1" });
    const transport = new Transport2025(url(), { fetch: own.fetch, requestInit });
    await mcp.connect(transport as Parameters<typeof mcp.connect>[0]);
    expect((await mcp.listTools()).tools).toHaveLength(2);
    const result = await mcp.callTool({ name: "list_files", arguments: {} });
    expect(result.structuredContent).toEqual({ total: 3 });
    await mcp.close();
  });
});
