import { writeSync } from "node:fs";
import { buildIndex } from "../../../server/index/build.ts";

/** Builds the half of an index, and waits there until a test kills it. Arguments: INDEX_DIR, the work tree. */
const [dir = "", root = ""] = process.argv.slice(2);
await buildIndex(
  { dir, root },
  {
    progress: (done, total) => {
      if (done * 2 < total) return;
      writeSync(1, `half: ${done} of ${total}\n`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
);
writeSync(1, "built\n");
