import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { requireAllowedHost } from "../http/hosts.ts";
import { type LandingFacts, landingPage } from "../pages/landing.ts";
import { EVERY_REQUEST } from "./every-request.ts";
import { refuseEventStreamClients } from "./wrong-endpoints.ts";

export interface LandingPageOptions extends Omit<LandingFacts, "origin" | "protocol"> {
  readonly hosts: string[];
  /** The origin that the client of a request uses. */
  originOf(request: FastifyRequest): string;
}

/** `GET /`: how to connect. */
export const landing = fp<LandingPageOptions>(
  async (app, { hosts, originOf, ...facts }) => {
    const onRequest = [requireAllowedHost(hosts), refuseEventStreamClients(facts.serve)];
    app.get("/", { onRequest }, async (request, reply) => {
      // Set by the edge, see proxy.conf.
      const protocol = request.headers["x-http-version"];
      const { headers, body } = landingPage({
        ...facts,
        origin: originOf(request),
        protocol: typeof protocol === "string" ? protocol : undefined,
      });
      return reply.headers(headers).send(body);
    });
  },
  { name: "landing-page", dependencies: [...EVERY_REQUEST, "wrong-endpoints"] },
);
