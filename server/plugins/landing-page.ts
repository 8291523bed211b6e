import { hostHeaderValidation } from "@modelcontextprotocol/fastify";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { type LandingFacts, landingPage } from "../http/landing.ts";
import { PAGE_HEADERS } from "../http/page.ts";
import { EVERY_REQUEST } from "./every-request.ts";
import { refuseEventStreamClients, type Serve } from "./wrong-endpoints.ts";

export interface LandingPageOptions extends Omit<LandingFacts, "origin" | "serve"> {
  readonly serve: Serve;
  readonly hosts: string[];
  /** The origin that the client of a request uses. */
  originOf(request: FastifyRequest): string;
}

/** `GET /`: how to connect. */
export const landing = fp<LandingPageOptions>(
  async (app, { hosts, originOf, ...facts }) => {
    const onRequest = [hostHeaderValidation(hosts), refuseEventStreamClients(facts.serve)];
    app.get("/", { onRequest }, async (request, reply) =>
      reply.headers(PAGE_HEADERS).send(landingPage({ ...facts, origin: originOf(request) })),
    );
  },
  { name: "landing-page", dependencies: [...EVERY_REQUEST, "wrong-endpoints"] },
);
