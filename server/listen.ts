import type { ServerApp } from "./app.ts";
import type { ServerConfig } from "./config/config.ts";

/**
 * Connections that may wait to be accepted. Node calls listen(2) on a passed socket too, and that sets the queue of the socket that all
 * share: with its own default (511) it would shrink what mcp-edge.socket and NGINX's `listen` ask for (`Backlog=4096`).
 */
const BACKLOG = 4_096;

/**
 * Begins to accept.
 *
 * @throws when the port is taken, with the way out
 */
export async function listen(
  { http }: Pick<ServerApp, "http">,
  where: ServerConfig["listen"],
): Promise<void> {
  await http.ready();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  http.server.once("error", reject);
  const { kind, ...address } = where;
  // As an argument: beside `fd` Node does not read the option `backlog`.
  http.server.listen(address, BACKLOG, resolve);
  await promise.catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE" && where.kind === "tcp"
      ? new Error(`${where.host}:${where.port} is taken; choose another port: PORT=3001 npm run dev`)
      : error;
  });
  http.server.off("error", reject);
}
