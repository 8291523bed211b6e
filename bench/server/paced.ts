import { Agent, request } from "node:http";
import type { Load, LoadResult } from "./load-types.ts";

/** Requests that may wait for a connection. Beyond it, the rate is more than the server can answer. */
const MAX_LATE = 100_000;
/**
 * Seconds at the same rate that do not count. A client that has just started takes 0.1 s to compile its code, and needs a first full
 * collection of its memory. In a run of 6 s that is more than 1 % of the requests, so their p99 would be the client's own.
 */
const WARM_UP = 3;

/**
 * Sends requests evenly, whether or not earlier ones are answered. A request that has to wait for a connection has waited since it was due.
 * autocannon's own rate limit sends a second's requests as fast as it can and then pauses, which measures the latency at full load.
 */
export async function paced(
  { url, seconds, connections, body, expect }: Load,
  rate: number,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections.length });
  const first = Math.round(rate * WARM_UP);
  const total = first + Math.round(rate * seconds);
  // Not an array that grows: its copies would be collected during the measurement.
  const latencies = new Float64Array(total - first);
  let answered = 0;
  let failed = 0;
  let open = 0;
  const send = (n: number, due: number) => {
    open++;
    const text = body.replaceAll("[<id>]", `id-${n}`);
    const headers = { ...connections[n % connections.length], "content-length": Buffer.byteLength(text) };
    const done = (ok: boolean) => {
      open--;
      if (!ok) failed++;
      else if (n >= first) latencies[answered++] = performance.now() - due;
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => done(response.statusCode === 200 && Buffer.concat(chunks).includes(expect)));
    });
    sent.once("error", () => done(false));
    sent.end(text);
  };
  const started = performance.now();
  for (let n = 0; n < total && open < MAX_LATE; ) {
    for (const now = performance.now(); n < total && started + (n * 1_000) / rate <= now; n++)
      send(n, started + (n * 1_000) / rate);
    // A timer would be up to a millisecond late.
    await new Promise(setImmediate);
  }
  while (open > 0) await new Promise(setImmediate);
  agent.destroy();
  const sorted = latencies.subarray(0, answered).sort();
  const quantile = (share: number) => sorted[Math.floor(answered * share)] ?? 0;
  return { rate: answered / seconds, failed, p50: quantile(0.5), p99: quantile(0.99) };
}
