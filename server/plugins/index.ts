import { hostname } from "node:os";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AppOptions } from "../app-options.ts";
import { allowedNames } from "../http/hosts.ts";
import type { RefusalReason } from "../http/limits/refusal-reason.ts";
import type { Services } from "../services.ts";
import { api } from "./api.ts";
import { assets } from "./assets.ts";
import { callerContext } from "./caller-context.ts";
import { cors } from "./cors.ts";
import { demoStream } from "./demo-stream.ts";
import { emptyBodies } from "./empty-bodies.ts";
import { errorHandler } from "./error-handler.ts";
import { landing } from "./landing-page.ts";
import { lifecycle } from "./lifecycle.ts";
import { mcp } from "./mcp.ts";
import { oauth } from "./oauth.ts";
import { operations } from "./operations.ts";
import { overload } from "./overload.ts";
import { quotas } from "./quotas.ts";
import { rateLimits } from "./rate-limits.ts";
import { readiness } from "./readiness.ts";
import { requestContext } from "./request-context.ts";
import { securityHeaders } from "./security-headers.ts";
import { serverCards } from "./server-card.ts";
import { status } from "./status.ts";
import { tracing } from "./tracing.ts";
import { wrongEndpoints } from "./wrong-endpoints.ts";

/**
 * Registers every plugin: first those that each request passes, in the order of their hooks, then the endpoints. A plugin declares in its
 * `dependencies` what has to come before it, and Fastify refuses any other order.
 */
export async function registerPlugins(
  app: FastifyInstance,
  services: Services,
  options: Pick<AppOptions, "config" | "live" | "profile" | "tracing"> & { keepAliveMs: number },
): Promise<void> {
  const { config, keepAliveMs } = options;
  const { serve, limits, publicUrl, slot } = config;
  const { streams, capabilities, grants, store, shares, usage, buckets, tools, context, auth } = services;
  const { authenticator } = auth;
  const names = allowedNames(config);
  const { hosts, origins } = names;
  const needsToken = config.authMode !== "none";
  const signIn = ["oauth", "jwt"].includes(config.authMode);
  const refused = (reason: RefusalReason) => services.metrics.refused(reason);
  const originOf = (request: FastifyRequest) => publicUrl?.origin ?? `${request.protocol}://${request.host}`;

  // Every request.
  await app.register(lifecycle, { lifecycle: services.lifecycle });
  await app.register(errorHandler);
  await app.register(wrongEndpoints, { serve, needsToken, signIn });
  await app.register(emptyBodies);
  await app.register(requestContext);
  await app.register(tracing, { tracing: options.tracing });
  await app.register(securityHeaders);
  await app.register(cors, { origins });
  await app.register(overload, { limits, refused });
  await app.register(rateLimits, { limits, buckets, refused });
  await app.register(callerContext);
  await app.register(quotas, { quotaPerDay: limits.quotaPerDay, usage, refused });

  // Endpoints. They authenticate themselves (see guard.ts), since not all of them need it.
  await app.register(mcp, {
    endpoint:
      serve === "api"
        ? undefined
        : {
            parts: {
              tools,
              grants,
              context,
              log: app.log,
              capabilities,
              profile: options.profile,
              direct: config.directCalls,
              chatGptTools: config.chatGptTools,
            },
            auth,
            store,
            shares,
            slot: slot && `${hostname()}:${slot}`,
            live: options.live,
            streams,
            keepAliveMs,
            names,
            observer: options.tracing?.messages,
          },
  });
  await app.register(api, {
    endpoint:
      serve === "mcp"
        ? undefined
        : { tools, grants, context, capabilities, authenticator, needsToken, names, originOf },
  });
  await app.register(oauth, { auth, hosts });
  await app.register(operations, { hosts, authenticator, ops: services.ops });
  const { server } = auth;
  await app.register(status, { hosts, authenticator, server, grants, history: services.history, streams });
  await app.register(readiness, { hosts, readiness: services.readiness });
  await app.register(assets);
  if (serve !== "api") await app.register(serverCards, { hosts, originOf, token: needsToken && !signIn });
  await app.register(landing, {
    hosts,
    originOf,
    auth: signIn ? "sign-in" : needsToken ? "token" : "none",
    accounts: auth.server !== undefined,
    tools,
    serve,
  });
  await app.register(demoStream, { hosts, streams, keepAliveMs });
}
