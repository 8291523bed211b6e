import fp from "fastify-plugin";
import type { Lifecycle } from "../http/lifecycle.ts";

/** Counts the requests in flight, and asks clients to leave their connections while the server drains. */
export const lifecycle = fp<{ lifecycle: Lifecycle }>(
  async (app, { lifecycle }) => {
    app.addHook("onRequest", (request, reply, done) => {
      lifecycle.begin(request, reply);
      done();
    });
    app.addHook("onSend", (_request, reply, _payload, done) => {
      if (lifecycle.draining) reply.header("connection", "close");
      done();
    });
  },
  { name: "lifecycle" },
);
