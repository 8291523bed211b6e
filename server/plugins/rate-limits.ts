import fp from "fastify-plugin";
import { isTokenHolder } from "../auth/guard.ts";
import type { ServerConfig } from "../config/config.ts";
import { clientAddress } from "../http/client-address.ts";
import { Refusal } from "../http/errors.ts";
import type { BucketStore } from "../http/limits/buckets.ts";
import { type NetworkBucketResult, takeForNetwork } from "../http/limits/network-buckets.ts";
import type { RefusalReason } from "../http/limits/refusal-reason.ts";
import { networkOf } from "../http/network.ts";
import { isLocalCaller } from "../http/peer.ts";

/** A bucket holds the requests of this many seconds, so that a client's start (several requests at once) is not an excess. */
const BURST_SECONDS = 2;

export interface RateLimitsOptions {
  readonly limits: Pick<ServerConfig["limits"], "perAddress" | "perToken">;
  readonly buckets: BucketStore;
  /** Receives each refusal, for the metrics. */
  refused(reason: RefusalReason): void;
}

/**
 * Token buckets: by address, before the client is authenticated (so that guessing tokens costs), and by token.
 * A caller on the machine itself has no address bucket: health checks must come through.
 */
export const rateLimits = fp<RateLimitsOptions>(
  async (app, { limits, buckets, refused }) => {
    type Done = (refusal?: Error) => void;
    function take(client: string, limit: number, reason: RefusalReason, whose: string, done: Done): void {
      const bucket = { purpose: "", client, capacity: limit * BURST_SECONDS, perSecond: limit };
      const decide = ({ allowed, waitMs, perSecond, site }: NetworkBucketResult) => {
        if (allowed) return done();
        refused(reason);
        const wait = Math.max(1, Math.ceil(waitMs / 1_000));
        const message = `Too many requests: ${site ? "the /48 network of this address" : whose} may send ${perSecond} a second; try again in ${wait} s`;
        done(new Refusal(429, message, wait));
      };
      const result = takeForNetwork(buckets, bucket);
      if (result instanceof Promise) result.then(decide, done);
      else decide(result);
    }

    // Hooks with a callback: those that return a promise make each request wait for a turn of the event loop's queue.
    if (limits.perAddress > 0)
      app.addHook("onRequest", (request, _reply, done) => {
        if (isLocalCaller(request.raw)) done();
        else take(networkOf(clientAddress(request)), limits.perAddress, "rate_address", "this address", done);
      });
    if (limits.perToken > 0)
      // After every onRequest hook, so after the guard; before the body is read.
      app.addHook("preParsing", (request, _reply, _payload, done) => {
        if (isTokenHolder(request))
          take(`token:${request.principal?.id}`, limits.perToken, "rate_token", "this token", done);
        else done();
      });
  },
  // A page may read every refusal, and what is refused costs little.
  { name: "rate-limits", dependencies: ["error-handler", "cors", "overload"] },
);
