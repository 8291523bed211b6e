import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes in use after a collection. */
export interface Memory {
  readonly heap: number;
  /** Resident memory of the process. */
  readonly rss: number;
}

/** Reports the memory that is in use after a collection, each time that the bench sends a message. */
export function reportMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: object) => void;
  process.on("message", () => {
    // A usual collection keeps up to 200 MB of free pages for the next objects, which is more than all streams need.
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    const { heapUsed, rss } = process.memoryUsage();
    process.send?.({ heap: heapUsed, rss } satisfies Memory);
  });
}
