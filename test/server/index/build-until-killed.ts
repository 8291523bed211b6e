import { writeSync } from "node:fs";
import { buildIndex } from "../../../server/index/build.ts";

/** Builds an index and prints its progress. A test kills it half way. Arguments: INDEX_DIR, the work tree. */
const [dir = "", root = ""] = process.argv.slice(2);
await buildIndex(
  { dir, root },
  {
    progress: (done, total) => {
      writeSync(1, `${done} of ${total}\n`);
    },
  },
);
writeSync(1, "built\n");
