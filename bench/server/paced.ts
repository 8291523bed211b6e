import { readFileSync } from "node:fs";
import { KeptConnection } from "./kept-connection.ts";
import type { Load, PacedResult } from "./load-types.ts";

/** Requests that may wait for a connection. Beyond it, the rate is more than the server can answer. */
const MAX_LATE = 100_000;
/**
 * Seconds at the same rate that do not count. A client that has just started takes 0.1 s to compile its code. In a run of 6 s that is more than
 * 1 % of the requests, so their p99 would be the client's own.
 */
const WARM_UP = 3;
/** Pause between looks at what is due and what has arrived, milliseconds. */
const PAUSE_MS = 0.05;
/** Standing still for longer than this is counted, milliseconds. */
const GAP_MS = 5;
/**
 * A second counts as quiet if the hypervisor took no more than this in it and in the one before, whose requests may still wait: milliseconds of all
 * cores, one unit of the kernel's count.
 */
const QUIET_MS = 10;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sends requests evenly, whether or not earlier ones are answered. A request that has to wait for a connection has waited since it was due.
 * autocannon's own rate limit sends a second's requests as fast as it can and then pauses, which measures the latency at full load.
 */
export async function paced(
  { url, seconds, connections, body, expect }: Load,
  rate: number,
): Promise<PacedResult> {
  const first = Math.round(rate * WARM_UP);
  const total = first + Math.round(rate * seconds);
  // Not an array that grows: its copies would be collected during the measurement.
  const latencies = new Float64Array(total - first);
  const free = connections.map((headers) => ({ headers, connection: new KeptConnection(url) }));
  const all = [...free];
  let answered = 0;
  let failed = 0;
  let sent = 0;
  const gaps = { count: 0, ms: 0 };
  let looked = Number.POSITIVE_INFINITY;
  /** At the beginning of each second that counts, and at the end. */
  const stolen: number[] = [];
  const started = performance.now();
  const due = (n: number) => started + (n * 1_000) / rate;
  for (let now = started; sent < total || free.length < all.length; now = performance.now()) {
    if (sent >= first && now - looked > GAP_MS) {
      gaps.count++;
      gaps.ms += now - looked;
    }
    looked = now;
    if (sent >= first + stolen.length * rate) stolen.push(stolenMs());
    for (; sent < total && due(sent) <= now && free.length > 0; sent++) {
      const n = sent;
      const used = free.shift() as (typeof all)[number];
      const text = body.replaceAll("[<id>]", `id-${n}`);
      used.connection.post(used.connection.head(used.headers, text.length) + text, (response) => {
        free.push(used);
        if (response instanceof Error || response.status !== 200 || !response.body.includes(expect)) failed++;
        else if (n >= first) {
          answered++;
          latencies[n - first] = performance.now() - due(n);
        }
      });
    }
    if ((now - started) * rate > (sent + MAX_LATE) * 1_000) break;
    // A timer would be up to a millisecond late, and a client that never sleeps would leave all other work of the machine to the server's core.
    Atomics.wait(NEVER, 0, 0, PAUSE_MS);
    await new Promise(setImmediate);
  }
  for (const { connection } of all) connection.close();
  stolen[seconds] = stolenMs();
  const inSeconds = Array.from({ length: seconds }, (_, second) =>
    latencies.slice(second * rate, (second + 1) * rate),
  );
  const quiet = inSeconds.filter(
    (_, second) => (stolen[second + 1] ?? 0) - (stolen[Math.max(0, second - 1)] ?? 0) <= QUIET_MS,
  );
  return {
    rate: answered / seconds,
    failed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    seconds: inSeconds.map((second) => quantile(second, 0.99)),
    quiet: {
      seconds: quiet.length,
      p99: quantile(Float64Array.from(quiet.flatMap((second) => [...second])), 0.99),
    },
    gaps,
    stolenMs: (stolen[seconds] ?? 0) - (stolen[0] ?? 0),
  };
}

/** Since the machine's start, of all cores. The kernel counts it in hundredths of a second. */
const stolenMs = () => Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync("/proc/stat", "utf8"))?.[1]) * 10;

/** Of those that were answered. Sorts `latencies`. */
function quantile(latencies: Float64Array, share: number): number {
  latencies.sort();
  const first = latencies.findIndex((latency) => latency > 0);
  return latencies[first + Math.floor((latencies.length - first) * share)] ?? 0;
}
