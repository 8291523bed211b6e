import underPressure from "@fastify/under-pressure";
import type { FastifyInstance } from "fastify";
import { Refusal } from "../errors.ts";
import type { RefusalReason } from "./rate-limit.ts";

export interface OverloadLimits {
  /** Mean delay of the event loop over the last second, milliseconds; 0: no limit. */
  readonly eventLoopMs: number;
  /** Resident memory of the process, bytes; 0: no limit. */
  readonly rssBytes: number;
}

/** Measured so often, milliseconds. */
const SAMPLE_MS = 1_000;
const RETRY_AFTER_S = 5;
/** By these an operator sees what is wrong: they answer as long as anything does. */
const ALWAYS = new Set(["/readyz", "/metrics", "/capz"]);

/**
 * Sheds load: while the event loop lags or the memory is full, new requests are turned away with 503 and Retry-After, at the price of
 * no work at all, so that those in flight and the open streams can finish.
 */
export async function registerOverload(
  app: FastifyInstance,
  limits: OverloadLimits,
  refused: (reason: RefusalReason) => void,
): Promise<void> {
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
}
