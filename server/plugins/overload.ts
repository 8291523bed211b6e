import underPressure from "@fastify/under-pressure";
import fp from "fastify-plugin";
import type { ServerConfig } from "../config/config.ts";
import { Refusal } from "../http/errors.ts";
import type { RefusalReason } from "../http/limits/refusal-reason.ts";

/** Interval of the measurements, milliseconds. */
const SAMPLE_MS = 1_000;
const RETRY_AFTER_S = 5;
/** An operator sees by these what is wrong. They answer as long as anything does. */
const ALWAYS = new Set(["/readyz", "/metrics", "/capz"]);

/**
 * Sheds load: while the event loop lags or the memory is full, new requests are refused with 503 and Retry-After before any
 * work is done for them, so that those in flight and the open streams can finish.
 */
export const overload = fp<{
  limits: Pick<ServerConfig["limits"], "eventLoopMs" | "rssBytes">;
  refused: (reason: RefusalReason) => void;
}>(
  async (app, { limits, refused }) => {
    if (limits.eventLoopMs === 0 && limits.rssBytes === 0) return;
    await app.register(underPressure, {
      maxEventLoopDelay: limits.eventLoopMs,
      maxRssBytes: limits.rssBytes,
      sampleInterval: SAMPLE_MS,
      pressureHandler: async (request) => {
        if (ALWAYS.has(request.routeOptions.url ?? "")) return;
        refused("overload");
        throw new Refusal(503, "The server is overloaded; try again in a few seconds", RETRY_AFTER_S);
      },
    });
  },
  { name: "overload", dependencies: ["error-handler", "cors"] },
);
