import { type Figure, median } from "../figures.ts";
import type { Loading, PacedResult, Served } from "./load-types.ts";
import { sentEvenly } from "./served.ts";

/** Long enough for several full collections of the memory, if the server needs any. */
const SECONDS = 40;

/** Latency at an even rate, requests a second. */
export async function latency(target: Served, loading: Loading, rate: number): Promise<PacedResult> {
  return sentEvenly({ ...(await loading(target)), seconds: SECONDS, rate });
}

/** Ours before and after large calls; the bare handler at our rate, fresh and after its large calls, and at half of its own peak rate. */
export interface Latencies {
  before: PacedResult;
  after: PacedResult;
  bareBefore: PacedResult;
  bareAfter: PacedResult;
  bareHalf: PacedResult;
}

/**
 * The p99 of all requests, that of the quiet seconds, and that of the second in the middle. A stall of 0.1 s is followed by 0.1 s of catching up at
 * half of the peak rate: one in 20 s makes the first large, whatever server it is. Where the hypervisor causes them, the quiet seconds show what the
 * server itself does.
 */
export function latencyFigures({ before, after, bareBefore, bareAfter, bareHalf }: Latencies): Figure[] {
  const worse = (one: PacedResult, other: PacedResult) => (one.p99 > other.p99 ? one : other);
  const [ours, bare] = [worse(before, after), worse(bareBefore, bareAfter)];
  const what = "p99 at half of the peak rate, 2026-07-28";
  return [
    {
      what: `${what}, the worse of before and after large calls`,
      unit: "ms",
      ours: ours.p99,
      against: { name: "node:http at the same rate", value: bare.p99 },
      promise: "<= 5 ms",
      note: `${SECONDS} s each; before: ${described(before)}; after: ${described(after)}; node:http: ${described(bare)}`,
    },
    ...quietFigure(what, { before, after, bareHalf }),
    {
      what: `${what}, of the second in the middle`,
      unit: "ms",
      ours: Math.max(median(before.seconds), median(after.seconds)),
      against: { name: "node:http at half of its own", value: median(bareHalf.seconds) },
      note: `node:http at half of its own peak rate: ${described(bareHalf)}`,
    },
  ];
}

/** None if no second was quiet. */
function quietFigure(
  what: string,
  { before, after, bareHalf }: Pick<Latencies, "before" | "after" | "bareHalf">,
): Figure[] {
  if (before.quiet.seconds + after.quiet.seconds === 0) return [];
  return [
    {
      what: `${what}, of the seconds in which the hypervisor took nothing`,
      unit: "ms",
      ours: Math.max(before.quiet.p99, after.quiet.p99),
      against: { name: "node:http at half of its own", value: bareHalf.quiet.p99 },
      promise: "<= 5 ms",
      note: `before: ${quiet(before)}; after: ${quiet(after)}; node:http: ${quiet(bareHalf)}`,
    },
  ];
}

const quiet = ({ quiet: { seconds, p99 } }: PacedResult) =>
  seconds === 0 ? "no such second" : `${p99.toFixed(1)} ms in ${seconds} of ${SECONDS} seconds`;

const described = ({ p50, p99, seconds, gaps, stolenMs }: PacedResult) =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${seconds.filter((second) => second > 5).length} seconds with more than 5 ms, \
client held up ${gaps.count} times (${gaps.ms.toFixed(0)} ms), stolen ${stolenMs} ms`;
