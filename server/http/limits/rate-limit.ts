import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isAnonymous } from "../../auth/principal.ts";
import { Refusal } from "../errors.ts";
import { isLocalCaller } from "../peer.ts";
import type { BucketStore } from "./buckets.ts";

/** A bucket holds what so many seconds bring, so that a client's start (several requests at once) is no excess. */
const BURST_SECONDS = 2;

export interface RateLimits {
  /** Requests a second from one address (an IPv6 client: its /64); 0: no limit. */
  readonly perAddress: number;
  /** Requests a second with one token; 0: no limit. */
  readonly perToken: number;
}

export type RefusalReason = "rate_address" | "rate_token" | "quota" | "overload";

/**
 * Two token buckets: one by address, before anybody is authenticated (so that guessing tokens costs), one by token.
 * A caller on the machine itself has no address bucket: health checks must come through.
 *
 * @param refused told of each refusal, for the metrics
 */
export async function registerRateLimits(
  app: FastifyInstance,
  limits: RateLimits,
  buckets: BucketStore,
  refused: (reason: RefusalReason) => void,
): Promise<void> {
  await app.register(rateLimit, { global: false, store: pluginStore(buckets) });
  const limiter = (perSecond: number, key?: (request: FastifyRequest) => string) =>
    app.createRateLimit({
      max: Math.ceil(perSecond * BURST_SECONDS),
      timeWindow: BURST_SECONDS * 1_000,
      ...(key ? { keyGenerator: key } : {}),
    });
  async function hold(check: ReturnType<typeof limiter>, request: FastifyRequest, reason: RefusalReason) {
    const verdict = await check(request);
    if (verdict.isAllowed || !verdict.isExceeded) return;
    refused(reason);
    const whose = reason === "rate_token" ? "this token" : "this address";
    throw new Refusal(
      429,
      `Too many requests: ${whose} may send ${verdict.max / BURST_SECONDS} a second; try again in ${verdict.ttlInSeconds} s`,
      verdict.ttlInSeconds,
    );
  }

  if (limits.perAddress > 0) {
    const byAddress = limiter(limits.perAddress);
    app.addHook("onRequest", async (request) => {
      if (!isLocalCaller(request.raw)) await hold(byAddress, request, "rate_address");
    });
  }
  if (limits.perToken > 0) {
    const byToken = limiter(limits.perToken, (request) => `token:${request.principal?.id}`);
    // After every onRequest hook, so after the guard; before the body is read.
    app.addHook("preParsing", async (request) => {
      if (isTokenHolder(request)) await hold(byToken, request, "rate_token");
    });
  }
}

/** True where the guard let somebody in by a credential; the anonymous caller is everybody and has no limits of their own. */
export function isTokenHolder(request: FastifyRequest): boolean {
  return request.principal !== null && !isAnonymous(request.principal);
}

/** The plugin counts up in windows; this makes its store a bucket: `current` is above `max` exactly when no token was left. */
function pluginStore(buckets: BucketStore) {
  return class Store {
    incr(
      key: string,
      done: (error: Error | null, result?: { current: number; ttl: number }) => void,
      windowMs: number,
      max: number,
    ): void {
      buckets.take(key, max, max / (windowMs / 1_000)).then(
        ({ allowed, left, waitMs }) =>
          done(null, { current: allowed ? max - left : max + 1, ttl: Math.max(1, waitMs) }),
        (error: Error) => done(error),
      );
    }
    child(): Store {
      return this;
    }
  };
}
