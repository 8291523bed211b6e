import fp from "fastify-plugin";
import type { Lifecycle } from "../http/lifecycle.ts";

/** Counts the requests in flight, and asks clients to leave their connections while the server drains. */
export const lifecycle = fp<{ lifecycle: Lifecycle }>(
  async (app, { lifecycle }) => {
    app.addHook("onRequest", async (request, reply) => lifecycle.begin(request, reply));
    app.addHook("onSend", async (_request, reply) => {
      if (lifecycle.draining) reply.header("connection", "close");
    });
  },
  { name: "lifecycle" },
);
