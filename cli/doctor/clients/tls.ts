import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from "node:tls";

/** Where the clients over TCP connect, and what they trust there. */
export interface Endpoint {
  /** What the URL names. */
  readonly target: {
    /** `https://host` or `https://host:port`. */
    origin: string;
    host: string;
    port: number;
    /** TCP port of plain HTTP. */
    httpPort: number;
  };
  /** IP address or host name to connect to. */
  readonly tcpAddress: string;
  /** Name for SNI; empty for an IP address. */
  readonly servername: string;
  readonly secureContext: SecureContext;
  /** Time to connect, milliseconds. */
  readonly limitMs: number;
}

/** Opens a TLS connection to the endpoint and resolves when its handshake is done. @throws the socket's error */
export function tlsConnect(
  endpoint: Endpoint,
  signal: AbortSignal,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    host: endpoint.tcpAddress,
    port: endpoint.target.port,
    servername: endpoint.servername,
    secureContext: endpoint.secureContext,
    ...options,
  });
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("secureConnect", () => resolve(socket));
  socket.once("error", reject);
  socket.once("close", () => {
    signal.removeEventListener("abort", onAbort);
    reject(new Error("the server closed the connection in the TLS handshake"));
  });
  return promise;
}
