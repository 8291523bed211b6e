import type { FastifyInstance } from "fastify";
import type { Usage } from "../../auth/usage.ts";
import { Refusal } from "../errors.ts";
import { isTokenHolder, type RefusalReason } from "./rate-limit.ts";

/**
 * Counts a token's calls (POST: the requests that make work) and refuses those above its quota of the day with 429 until midnight UTC.
 *
 * @param quotaPerDay for tokens that have none of their own; 0: no quota
 */
export function registerQuotas(
  app: FastifyInstance,
  quotaPerDay: number,
  usage: Usage,
  refused: (reason: RefusalReason) => void,
): void {
  app.addHook("preParsing", async (request) => {
    const { principal } = request;
    if (!principal || !isTokenHolder(request)) return;
    if (request.method !== "POST") {
      usage.touch(principal.id);
      return;
    }
    const quota = principal.quota ?? quotaPerDay;
    const wait = usage.count(principal.id, quota);
    if (wait === 0) return;
    refused("quota");
    throw new Refusal(
      429,
      `The quota of this token is used up: ${quota} calls a day; it begins anew at midnight UTC`,
      wait,
    );
  });
}
