import { chmod, lstat, rm } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import type { ServerApp } from "./app.ts";

/**
 * The private socket of one server: how the deploy script asks this colour and no other, when both share the public socket.
 * Reachable by the server's account and its group only (mode 0660).
 *
 * @throws with what to look at when the socket cannot be made
 */
export async function startAdmin(
  socket: string,
  { readiness, registerOps }: Pick<ServerApp, "readiness" | "registerOps">,
): Promise<FastifyInstance> {
  const admin = Fastify({ logger: false, forceCloseConnections: true });
  admin.get("/readyz", async (_request, reply) => {
    const state = await readiness.probe();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
  registerOps(admin);
  // A server that was killed left its socket behind; anything else in its place is not ours to remove.
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
