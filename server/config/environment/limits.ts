import * as z from "zod";
import * as type from "../types.ts";
import { variable } from "../variable.ts";

/** Limits on requests, and when the server sheds load. */
export const limits = z.object({
  perAddress: variable("RATE_LIMIT_ADDRESS", type.wholeNumber(0, 1_000_000), {
    description:
      "Rate limit of one address; an IPv6 address counts as its /64. A bucket holds two seconds' worth. 0: no limit.",
    default: "100",
    unit: "requests a second",
  }),
  perToken: variable("RATE_LIMIT_TOKEN", type.wholeNumber(0, 1_000_000), {
    description: "The same for one token, wherever it is used from.",
    default: "100",
    unit: "requests a second",
  }),
  quotaPerDay: variable("QUOTA_PER_DAY", type.wholeNumber(0, 999_999_999), {
    description:
      "Calls (POST) of one token until midnight UTC. A token's own `--quota` takes precedence. 0: no limit.",
    default: "0",
    unit: "calls a day",
  }),
  eventLoopMs: variable("SHED_EVENT_LOOP_MS", type.wholeNumber(0, 60_000), {
    description:
      "While the event loop's mean delay is above this, new requests get 503. Not refused: `/readyz`, `/metrics`, `/capz`. 0: never.",
    example: "1000",
    unit: "milliseconds",
    unset: "`1000`; in development `0`, because a debugger's pause is no overload",
  }),
  rssBytes: variable("SHED_RSS_MB", type.mebibytes(1_000_000), {
    description:
      "The same by resident memory. Off by default: memory that stays in use would keep the server refusing until it is restarted.",
    default: "0",
    example: "800",
    unit: "MiB",
  }),
});

/** The share of one token of what the server holds at the same time. */
export const shares = z.object({
  calls: variable("CALLS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
    description: "Tool calls of one token in progress at once. 0: no limit, here and in the next four.",
    default: "32",
  }),
  listens: variable("LISTENS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
    description: "`subscriptions/listen` streams of one token; all tokens together: 12,000.",
    default: "100",
  }),
  resources: variable("RESOURCES_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
    description:
      "Resources that the sessions and streams of one token follow; one of them follows at most 100.",
    default: "1000",
  }),
  sessions: variable("SESSIONS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
    description: "Stored sessions of one token. Beyond this its least recently used ones are removed.",
    default: "1000",
  }),
  liveSessions: variable("LIVE_SESSIONS_PER_TOKEN", type.wholeNumber(0, 1_000_000), {
    description: "Of these, sessions in the memory of one machine; all tokens together: 10,000.",
    default: "500",
  }),
});
