import { type ClientHttp2Session, connect, constants } from "node:http2";
import { HttpClientError } from "../../http3/errors.ts";
import { type ExchangeStream, exchange } from "../../http3/exchange.ts";
import { toOutgoing } from "../../http3/outgoing.ts";
import { type Endpoint, tlsConnect } from "./tls.ts";

export interface Http2Client {
  /** `fetch` over HTTP/2 and nothing else, on one connection. */
  fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** As in Node's own fetch: a tool call may take minutes before it answers. */
const HEADERS_TIMEOUT_MS = 300_000;

/** An HTTP/2 client of the endpoint that offers `h2` and `http/1.1` and works only when the server takes `h2`. */
export function http2Client(endpoint: Endpoint): Http2Client {
  let opening: Promise<ClientHttp2Session> | undefined;
  const where = `${endpoint.target.host} at ${endpoint.tcpAddress} port ${endpoint.target.port}/tcp`;

  const open = async (): Promise<ClientHttp2Session> => {
    // Not AbortSignal.timeout: it would end the socket later, in the middle of a stream.
    const late = new AbortController();
    const timer = setTimeout(
      () =>
        late.abort(
          new HttpClientError("connect-timeout", `no TLS handshake within ${endpoint.limitMs} ms`, where),
        ),
      endpoint.limitMs,
    );
    const options = { ALPNProtocols: ["h2", "http/1.1"] };
    const socket = await tlsConnect(endpoint, late.signal, options).finally(() => clearTimeout(timer));
    if (socket.alpnProtocol !== "h2") {
      socket.destroy();
      const chosen = socket.alpnProtocol || "nothing";
      throw new HttpClientError("handshake", `the server chose ${chosen} although h2 was offered`, where);
    }
    const session = connect(endpoint.target.origin, { createConnection: () => socket });
    // Streams report their own errors; without a listener the session's would end the process.
    session.on("error", () => undefined);
    return session;
  };

  const usable = async (): Promise<ClientHttp2Session> => {
    const current = opening;
    const session = await current?.catch(() => undefined);
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    // Of several callers who find no usable connection only the first opens one.
    if (opening === current) opening = open();
    return opening ?? open();
  };

  return {
    fetch: async (input, init) => {
      const out = await toOutgoing(input, init);
      const session = await usable();
      out.signal?.throwIfAborted();
      const headers = {
        ":method": out.method,
        ":scheme": "https",
        ":authority": out.authority,
        ":path": `${out.url.pathname}${out.url.search}`,
        ...out.headers,
      };
      const stream = session.request(headers, { endStream: out.body === undefined });
      return exchange(stream as unknown as ExchangeStream, out, {
        where,
        cancelCode: constants.NGHTTP2_CANCEL,
        headersTimeoutMs: HEADERS_TIMEOUT_MS,
        explain: (error) => new HttpClientError("closed", error.message, where, error),
      });
    },
    async close() {
      const session = await opening?.catch(() => undefined);
      session?.destroy();
    },
  };
}
