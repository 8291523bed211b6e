import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { type AuthenticatorFor, identifyBy, requireScope } from "../auth/guard.ts";
import type { Capabilities, NeedsCapabilities } from "../capabilities/registry.ts";
import { requireAllowedHost } from "../http/hosts.ts";
import { isLocalCaller } from "../http/peer.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { EVERY_REQUEST } from "./every-request.ts";

export interface OpsParts {
  readonly metrics: Pick<Metrics, "contentType" | "text">;
  readonly capabilities: Capabilities;
  readonly tools: readonly ({ name: string } & NeedsCapabilities)[];
  readonly release: string;
  readonly colour: string;
}

/** `/metrics` and `/capz` on the public server: for the machine itself, and for holders of a token with the scope `ops`. */
export const operations = fp<{ hosts: string[]; authenticator: AuthenticatorFor; ops: OpsParts }>(
  async (app, { hosts, authenticator, ops }) => {
    await app.register(async (scope) => {
      scope.addHook("onRequest", requireAllowedHost(hosts));
      scope.addHook("onRequest", opsOnly(authenticator));
      registerOps(scope, ops);
    });
  },
  { name: "operations", dependencies: [...EVERY_REQUEST] },
);

/** `/metrics` and `/capz`: for the operator. They show paths and numbers that are not for others. */
export function registerOps(app: FastifyInstance, parts: OpsParts): void {
  const { metrics, capabilities } = parts;
  app.get("/metrics", { exposeHeadRoute: false }, async (_request, reply) =>
    reply
      .header("cache-control", "no-store")
      .type(metrics.contentType)
      .send(await metrics.text()),
  );
  app.get("/capz", { exposeHeadRoute: false }, async (request, reply) => {
    const { stamp, capabilities: known } = capabilities.snapshot();
    const etag = `"${stamp}"`;
    reply.header("etag", etag).header("cache-control", "no-cache");
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    const tools = parts.tools.map((tool) => ({
      name: tool.name,
      available: capabilities.allow(tool),
      missing: capabilities.missing(tool).map((c) => c.name),
    }));
    return { stamp, release: parts.release, colour: parts.colour, capabilities: known, tools };
  });
}

/**
 * An onRequest hook that accepts a caller on the machine itself (not one behind the edge), and a token with the scope `ops`.
 */
function opsOnly(authenticator: AuthenticatorFor) {
  const identify = identifyBy(authenticator);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (isLocalCaller(request.raw)) return;
    if (await identify(request, reply)) requireScope(request, reply, "ops");
  };
}
