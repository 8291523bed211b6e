import { Http3Connection } from "./connection.ts";
import { dial } from "./dial.ts";
import { HttpClientError } from "./errors.ts";
import { type Outgoing, toOutgoing } from "./outgoing.ts";
import { trustedRoots } from "./trust.ts";

export interface Http3FetchOptions {
  /** PEM, one certificate or more, trusted in addition to the system's roots. */
  ca?: string;
  /** Connect to this IP address instead of resolving the URL's host name. */
  address?: string;
  /** Connect to this UDP port instead of the URL's (default 443), as an Alt-Svc header may say. */
  port?: number;
  /** Limit for resolving and the QUIC handshake, in milliseconds. Default 10 000. */
  connectTimeoutMs?: number;
  /** Limit until the response headers, in milliseconds. Default 300 000, as in Node's own fetch. Bodies have none. */
  headersTimeoutMs?: number;
  /** Called for each new connection. */
  onConnect?: (info: Http3ConnectInfo) => void;
}

export interface Http3ConnectInfo {
  /** The IP address that answered. */
  address: string;
  /** Milliseconds from the first packet to the finished handshake. */
  handshakeMs: number;
}

export interface Http3Client {
  /**
   * `fetch` over HTTP/3 only: no fallback to HTTP/2, redirects are returned (not followed), bodies are
   * not decompressed (and no compression is requested). Usable as the `fetch` of the MCP SDKs' transports.
   */
  fetch: typeof globalThis.fetch;
  /** Closes all connections and their requests. Without it Node does not exit. */
  close(): Promise<void>;
}

/** Methods that may be repeated after a connection broke without an answer (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS"]);
const MAX_ATTEMPTS = 3;

/**
 * An HTTP/3 client (RFC 9114) that keeps one QUIC connection for each origin. The protocol is Cloudflare's quiche,
 * in the native addon of `@currentspace/http3`, so it runs where Node does and needs no curl.
 */
export function http3Fetch(options: Http3FetchOptions = {}): Http3Client {
  /** For new requests, by origin. */
  const connections = new Map<string, Promise<Http3Connection>>();
  /** Every open connection, including those that only complete their requests. */
  const alive = new Set<Http3Connection>();
  const ca = trustedRoots(options.ca).join("\n");
  const timeoutMs = options.connectTimeoutMs ?? 10_000;
  let closed = false;

  const connect = async (url: URL): Promise<Http3Connection> => {
    const host = url.hostname;
    const port = options.port ?? Number(url.port || 443);
    const dialed = await dial({ host, port, address: options.address, ca, timeoutMs });
    options.onConnect?.({ address: dialed.address, handshakeMs: dialed.handshakeMs });
    const connection = new Http3Connection(dialed.session, dialed.where, () => alive.delete(connection));
    alive.add(connection);
    return connection;
  };

  const connectionTo = async (url: URL): Promise<{ connection: Http3Connection; fresh: boolean }> => {
    const open = connections.get(url.origin);
    if (open !== undefined) {
      const connection = await open;
      if (connection.usable) return { connection, fresh: false };
      if (connections.get(url.origin) === open) connections.delete(url.origin);
      return connectionTo(url);
    }
    const opening = connect(url);
    connections.set(url.origin, opening);
    try {
      return { connection: await opening, fresh: true };
    } catch (error) {
      connections.delete(url.origin);
      throw error;
    }
  };

  const send = async (out: Outgoing, attempt = 1): Promise<Response> => {
    if (closed) throw new HttpClientError("client-closed", "this HTTP/3 client is closed", out.url.host);
    const { connection, fresh } = await orAborted(connectionTo(out.url), out.signal);
    try {
      return await connection.send(out, options.headersTimeoutMs ?? 300_000);
    } catch (error) {
      // A connection that does not answer in time may be dead. The next request must not wait for it too.
      if (error instanceof HttpClientError && error.code === "headers-timeout") connection.retire();
      if (attempt < MAX_ATTEMPTS && mayRepeat(error, out, fresh)) return send(out, attempt + 1);
      throw error;
    }
  };

  return {
    fetch: async (input, init) => send(await toOutgoing(input, init)),
    async close() {
      closed = true;
      await Promise.allSettled(connections.values());
      await Promise.all([...alive].map((connection) => connection.close()));
    },
  };
}

/** A request that the server did not process, or a safe one on a connection that had silently died. */
function mayRepeat(error: unknown, out: Outgoing, fresh: boolean): boolean {
  if (!(error instanceof HttpClientError) || out.body instanceof ReadableStream) return false;
  return error.code === "rejected" || (error.code === "closed" && !fresh && IDEMPOTENT.has(out.method));
}

/** Stops waiting when the signal is aborted. The shared work continues. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
