import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type AuthenticatorFor, guard, requireScope } from "../auth/guard.ts";
import type { Capabilities, NeedsCapabilities } from "../capabilities/registry.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { isLocalCaller } from "./peer.ts";

export interface OpsParts {
  readonly metrics: Pick<Metrics, "contentType" | "text">;
  readonly capabilities: Capabilities;
  readonly tools: readonly ({ name: string } & NeedsCapabilities)[];
  readonly release: string;
  readonly colour: string;
}

/** `/metrics` and `/capz`: for the server's own operator. They tell paths and numbers that are nobody else's business. */
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
 * An onRequest hook that lets pass who is on the machine itself and speaks for himself, and whoever holds a token with the scope `ops`.
 */
export function opsOnly(authenticator: AuthenticatorFor) {
  const identify = guard(authenticator);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (isLocalCaller(request.raw)) return;
    await identify(request, reply);
    if (!reply.sent) requireScope(request, reply, "ops");
  };
}
