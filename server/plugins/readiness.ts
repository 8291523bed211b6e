import fp from "fastify-plugin";
import { requireAllowedHost } from "../http/hosts.ts";
import { type ReadinessProbe, withoutDetails } from "../http/readiness.ts";
import { EVERY_REQUEST } from "./every-request.ts";

/** `GET /readyz` for everybody: without the reasons, which only the private socket shows. */
export const readiness = fp<{ readiness: ReadinessProbe; hosts: string[] }>(
  async (app, { readiness, hosts }) => {
    app.get("/readyz", { onRequest: requireAllowedHost(hosts) }, async (_request, reply) => {
      const state = await readiness.probe();
      return reply
        .code(state.ready ? 200 : 503)
        .header("cache-control", "no-store")
        .send(withoutDetails(state));
    });
  },
  { name: "readiness", dependencies: [...EVERY_REQUEST] },
);
