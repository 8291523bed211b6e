import { chmod, lstat, rm } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import type { ServerApp } from "./app.ts";

/**
 * Opens the private socket of this server. Both slots share the public socket; the deploy script uses the private one to reach one slot.
 * Only the server's account and its group can connect (mode 0660).
 *
 * @throws Error if the socket cannot be created; the message says what to check
 */
export async function startAdmin(
  socket: string,
  {
    authTrace,
    readiness,
    registerOps,
    streams,
  }: Pick<ServerApp, "authTrace" | "readiness" | "registerOps" | "streams">,
): Promise<FastifyInstance> {
  const admin = Fastify({ logger: false, forceCloseConnections: true });
  admin.get("/readyz", async (_request, reply) => {
    const state = await readiness.probe();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
  admin.get("/oauth/trace", async () => authTrace.list());
  // Before what terminates TLS ends: clients get the end of their streams, and connect again.
  admin.post("/streams/end", async (_request, reply) => {
    streams.sendAllAway();
    return reply.code(204).send();
  });
  registerOps(admin);
  // A server that was killed leaves its socket behind. Any other kind of file stays: the server did not create it.
  const old = await lstat(socket).catch(() => undefined);
  if (old?.isSocket()) await rm(socket);
  try {
    await admin.listen({ path: socket });
    await chmod(socket, 0o660);
  } catch (error) {
    throw new Error(
      `ADMIN_SOCKET=${socket}: ${(error as Error).message}; its folder must exist and be writable (RuntimeDirectory=mcp-edge)`,
    );
  }
  return admin;
}
