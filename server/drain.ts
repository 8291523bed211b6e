import { Server as NetServer } from "node:net";
import type { ServerApp } from "./app.ts";

/**
 * How long idle keep-alive connections stay open for a request that is already on its way, milliseconds. NGINX closes a connection that was
 * idle for half a second, so that it never sends a request on one that this server closes.
 */
const GRACE_MS = 2_000;

/**
 * Graceful shutdown. The server accepts no new connections: the shared socket stays open, and another server accepts them. /readyz
 * returns 503, responses have `connection: close`, long-lived event streams end (with `retry:`, or the result of
 * `subscriptions/listen`), and calls in flight finish.
 *
 * @param limitMs how long calls may take. After that, the rest is cut off
 * @returns whether everything finished in time
 */
export async function drain(app: ServerApp, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  const left = () => Math.max(0, until - performance.now());
  try {
    return await finish(app, left);
  } finally {
    await app.close();
  }
}

async function finish({ http, lifecycle, streams }: ServerApp, left: () => number): Promise<boolean> {
  lifecycle.draining = true;
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  if (http.server.listening) {
    http.server.once("close", resolve);
    // http.Server.close() would also destroy idle connections at once, although a request may be on the wire. Close only the listener.
    NetServer.prototype.close.call(http.server);
  } else resolve();
  streams.drain();
  let clean = await lifecycle.idle(left());
  if (clean) {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((over) => {
      // A request that arrived during a long turn of the event loop is read before the second callback.
      timer = setTimeout(() => setImmediate(over), Math.min(GRACE_MS, left()));
    });
    await Promise.race([gone, grace]);
    clearTimeout(timer);
    clean = await lifecycle.idle(left());
  }
  return clean;
}
