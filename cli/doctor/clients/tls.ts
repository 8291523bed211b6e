import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Context } from "../context.ts";

/** Opens a TLS connection to the target and resolves when its handshake is done. @throws the socket's error */
export function tlsConnect(
  context: Context,
  signal: AbortSignal,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    host: context.tcpAddress,
    port: context.target.port,
    servername: context.servername,
    secureContext: context.secureContext,
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
