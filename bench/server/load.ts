import { text } from "node:stream/consumers";
import autocannon from "autocannon";

/** What to send; comes as JSON on standard input, the answer goes as JSON to standard output. */
export interface Load {
  url: string;
  seconds: number;
  /** The headers of each connection: as many connections as there are entries. */
  connections: Record<string, string>[];
  /** `[<id>]` in it becomes a new id in each request. */
  body: string;
  /** What each answer must contain. */
  expect: string;
  /** Requests a second, of all connections together. Default: as many as are answered. */
  rate?: number;
}

export interface LoadResult {
  /** Requests a second that were answered well. */
  rate: number;
  /** Requests that were answered otherwise, or not at all. */
  failed: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const {
  url,
  seconds,
  connections,
  body,
  expect,
  rate: wanted,
} = JSON.parse(await text(process.stdin)) as Load;
let next = 0;
const result = await autocannon({
  url,
  method: "POST",
  body,
  connections: connections.length,
  duration: seconds,
  idReplacement: true,
  timeout: 30,
  ...(wanted === undefined ? {} : { overallRate: wanted }),
  setupClient: (client) => client.setHeaders(connections[next++ % connections.length] ?? {}),
  verifyBody: (answer: unknown) => String(answer).includes(expect),
});
const failed = result.non2xx + result.errors + result.mismatches;
const rate = (result.requests.total - result.non2xx - result.mismatches) / result.duration;
const answer: LoadResult = { rate, failed, p50: result.latency.p50, p99: result.latency.p99 };
console.log(JSON.stringify(answer));
