import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { type Endpoint, tlsConnect } from "./tls.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Version in the status line, such as `1.1`. */
  httpVersion: string;
  /** What ALPN agreed on; `false` when the server chose nothing, undefined over plain TCP. */
  alpn: string | false | null | undefined;
}

export interface Ask {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Bytes of a body that are kept; the rest is read and dropped. */
const KEEP = 64 * 1024;

/** One request over HTTP/1.1 and TLS, on its own connection, offering no other protocol. */
export async function askHttps(endpoint: Endpoint, ask: Ask, signal: AbortSignal): Promise<Answer> {
  const socket = await tlsConnect(endpoint, signal, { ALPNProtocols: ["http/1.1"] });
  const call = httpRequest({ ...common(ask, endpoint, signal), createConnection: () => socket });
  return finish(call, ask, socket.alpnProtocol);
}

/** One request over HTTP/1.1 without TLS, to `address`. */
export function askHttp(endpoint: Endpoint, address: string, ask: Ask, signal: AbortSignal): Promise<Answer> {
  const call = httpRequest({
    ...common(ask, endpoint, signal),
    host: address,
    port: endpoint.target.httpPort,
    agent: false,
  });
  return finish(call, ask, undefined);
}

function common(ask: Ask, endpoint: Endpoint, signal: AbortSignal) {
  const host = new URL(endpoint.target.origin).host;
  const body = ask.body === undefined ? {} : { "content-length": String(Buffer.byteLength(ask.body)) };
  return {
    path: ask.path,
    method: ask.method ?? "GET",
    headers: { host, "user-agent": "mcp-edge doctor", connection: "close", ...body, ...ask.headers },
    signal,
  };
}

function finish(call: ClientRequest, ask: Ask, alpn: Answer["alpn"]): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  call.on("error", reject);
  call.on("response", (response: IncomingMessage) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on("data", (part: Buffer) => {
      if (size < KEEP) parts.push(part);
      size += part.length;
    });
    response.on("error", reject);
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(parts).toString("utf8"),
        httpVersion: response.httpVersion,
        alpn,
      }),
    );
  });
  call.end(ask.body);
  return promise;
}
