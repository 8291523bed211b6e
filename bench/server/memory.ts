import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Reports the memory that is in use after a collection, each time that the bench sends a message. */
export function reportMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  process.on("message", () => {
    collect();
    collect();
    process.send?.({ heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss });
  });
}
