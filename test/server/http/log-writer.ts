import { once } from "node:events";
import { BatchedLines } from "../../../server/http/log-stream.ts";

/** Writes as many lines as its argument says. If the pipe is full then, it reports how much waits, and writes one more line once all is read. */
const log = new BatchedLines(process.stdout, { release: "1.2.3" });
const line = (n: number | string) =>
  `${JSON.stringify({ level: "info", n, msg: "request" }).padEnd(1_000)}\n`;
for (let n = 0; n < Number(process.argv[2]); n++) log.write(line(n));
if (process.stdout.writableLength > 0) {
  process.send?.({ waiting: process.stdout.writableLength });
  await once(process.stdout, "drain");
  log.write(line("last"));
}
process.disconnect();
