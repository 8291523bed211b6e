import { type Buckets, quantile } from "../metrics/buckets.ts";
import type { Totals } from "../metrics/totals.ts";

/** Length of a step, milliseconds. Steps begin at multiples of it, so those of two instances are the same. */
export const STEP_MS = 10_000;
/** An hour. */
export const STEPS = 360;

/** What happened at one instance during one step. */
export interface Sample extends Totals {
  /** End of the step, milliseconds since 1970. */
  readonly at: number;
  /** Event streams that were open at the end. */
  readonly streams: number;
  /** Addresses that were banned at the end; undefined where that is not known. */
  readonly bans: number | undefined;
}

/** What a chart shows of one step: all instances of this machine together. Undefined: not known, or nothing to measure. */
export interface Point {
  /** End of the step, milliseconds since 1970. */
  readonly at: number;
  /** A second. */
  readonly requests: number;
  /** During the step. */
  readonly errors: number;
  readonly refused: number;
  readonly toolCalls: number;
  readonly toolErrors: number;
  readonly streams: number;
  /** Milliseconds. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly firstByte50: number | undefined;
  readonly firstByte95: number | undefined;
  /** Percent of the requests. */
  readonly http3: number | undefined;
  readonly bans: number | undefined;
}

const COUNTS = ["requests", "errors", "refused", "http3", "toolCalls", "toolErrors"] as const;

/** What happened between two readings. */
export function difference(now: Totals, before: Totals): Totals {
  const minus = (one: Buckets, other: Buckets) => one.map((count, index) => count - (other[index] ?? 0));
  return {
    ...counts((name) => now[name] - before[name]),
    duration: minus(now.duration, before.duration),
    firstByte: minus(now.firstByte, before.firstByte),
  };
}

/** The same step at two instances. */
export function together(one: Sample, other: Sample): Sample {
  const plus = (some: Buckets, more: Buckets) => some.map((count, index) => count + (more[index] ?? 0));
  return {
    ...counts((name) => one[name] + other[name]),
    at: one.at,
    streams: one.streams + other.streams,
    bans: one.bans ?? other.bans,
    duration: plus(one.duration, other.duration),
    firstByte: plus(one.firstByte, other.firstByte),
  };
}

export function pointOf(sample: Sample): Point {
  const { at, requests, errors, refused, toolCalls, toolErrors, streams, bans, http3 } = sample;
  const ms = (buckets: Buckets, share: number) => rounded(quantile(buckets, share), 1_000);
  return {
    at,
    requests: requests / (STEP_MS / 1_000),
    errors,
    refused,
    toolCalls,
    toolErrors,
    streams,
    p50: ms(sample.duration, 0.5),
    p95: ms(sample.duration, 0.95),
    p99: ms(sample.duration, 0.99),
    firstByte50: ms(sample.firstByte, 0.5),
    firstByte95: ms(sample.firstByte, 0.95),
    http3: requests === 0 ? undefined : rounded(http3 / requests, 100),
    bans,
  };
}

const counts = (value: (name: (typeof COUNTS)[number]) => number) =>
  Object.fromEntries(COUNTS.map((name) => [name, value(name)])) as Pick<Totals, (typeof COUNTS)[number]>;

const rounded = (value: number | undefined, times: number) =>
  value === undefined ? undefined : Number((value * times).toFixed(2));
