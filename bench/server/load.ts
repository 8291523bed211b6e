import { text } from "node:stream/consumers";
import autocannon from "autocannon";
import type { Load, LoadResult } from "./load-types.ts";
import { paced } from "./paced.ts";

/** Reads a Load as JSON from standard input, and writes a LoadResult to standard output. */
const load = JSON.parse(await text(process.stdin)) as Load;
console.log(JSON.stringify(load.rate === undefined ? await fastest(load) : await paced(load, load.rate)));

/**
 * The generator never sleeps. To wake a process on another core takes the server 10 us in a virtual machine, as much as half a request of a bare
 * server. Only a server that is slower than the generator would pay that.
 */
async function fastest({ url, seconds, connections, body, expect }: Load): Promise<LoadResult> {
  let next = 0;
  let measures = true;
  const poll = () => {
    if (measures) setImmediate(poll);
  };
  poll();
  const result = await autocannon({
    url,
    method: "POST",
    body,
    connections: connections.length,
    duration: seconds,
    idReplacement: true,
    timeout: 30,
    setupClient: (client) => client.setHeaders(connections[next++ % connections.length] ?? {}),
    verifyBody: (answer: unknown) => String(answer).includes(expect),
  });
  measures = false;
  const failed = result.non2xx + result.errors + result.mismatches;
  const rate = (result.requests.total - result.non2xx - result.mismatches) / result.duration;
  return { rate, failed, p50: result.latency.p50, p99: result.latency.p99 };
}
