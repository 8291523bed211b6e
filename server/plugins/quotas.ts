import fp from "fastify-plugin";
import { isTokenHolder } from "../auth/guard.ts";
import type { Usage } from "../auth/usage.ts";
import { Refusal } from "../http/errors.ts";
import type { RefusalReason } from "../http/limits/refusal-reason.ts";

export interface QuotasOptions {
  /** For tokens that have no quota of their own; 0: no quota. */
  readonly quotaPerDay: number;
  readonly usage: Usage;
  /** Receives each refusal, for the metrics. */
  refused(reason: RefusalReason): void;
}

/** Counts a token's calls (POST: the requests that make work) and refuses those above its quota of the day with 429 until midnight UTC. */
export const quotas = fp<QuotasOptions>(
  async (app, { quotaPerDay, usage, refused }) => {
    app.addHook("preParsing", (request, _reply, _payload, done) => {
      const { principal } = request;
      if (!principal || !isTokenHolder(request)) return done();
      if (request.method !== "POST") {
        usage.touch(principal.id);
        return done();
      }
      const quota = principal.quota ?? quotaPerDay;
      const wait = usage.count(principal.id, quota);
      if (wait === 0) return done();
      refused("quota");
      const message = `The quota of this token is used up: ${quota} calls a day. The next day begins at midnight UTC`;
      done(new Refusal(429, message, wait));
    });
  },
  { name: "quotas", dependencies: ["error-handler", "rate-limits"] },
);
