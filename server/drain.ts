import { Server as NetServer } from "node:net";
import type { ServerApp } from "./app.ts";

/** Idle keep-alive connections are left open so long for a request that is already on its way, milliseconds. */
const GRACE_MS = 500;

/**
 * The graceful end: nothing new is accepted (the shared socket stays, another server takes what comes), /readyz says 503, answers say
 * `connection: close`, standing event streams are sent away (`retry:`, or the result of `subscriptions/listen`), and calls in flight finish.
 *
 * @param limitMs the longest that calls may take; what is left then is cut
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
    // http.Server.close() would also cut idle connections at once, with a request perhaps already on the wire: close only the listener.
    NetServer.prototype.close.call(http.server);
  } else resolve();
  streams.drain();
  let clean = await lifecycle.idle(left());
  if (clean) {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((over) => {
      timer = setTimeout(over, Math.min(GRACE_MS, left()));
    });
    await Promise.race([gone, grace]);
    clearTimeout(timer);
    clean = await lifecycle.idle(left());
  }
  return clean;
}
