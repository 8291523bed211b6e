import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { asCaller } from "../../../server/shares/caller.ts";
import { largeReads, readWhole } from "../../../server/workspace/served-file.ts";
import { temporaryFolder } from "../support.ts";

test("a caller's large files are read one at a time, and small files and those of another caller at once", async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, "large");
  await writeFile(file, Buffer.alloc(2 * 1024 * 1024, "x"));
  const handle = await open(file);
  const read = (size: number, signal = new AbortController().signal) => readWhole(handle, size, signal);
  const held = await asCaller("greedy", () => largeReads.enter());
  const abort = new AbortController();
  const waiting = asCaller("greedy", () => [1, 2].map(() => read(2 * 1024 * 1024, abort.signal)));
  const settled = Promise.allSettled(waiting);
  expect(largeReads.load).toEqual({ used: 1, waiting: 2 });
  await asCaller("greedy", () => read(1024 * 1024));
  const other = await open(file);
  await asCaller("modest", () => readWhole(other, 2 * 1024 * 1024, new AbortController().signal));
  expect(largeReads.load).toEqual({ used: 1, waiting: 2 });
  abort.abort(new Error("gone"));
  expect((await settled).map((one) => one.status)).toEqual(["rejected", "rejected"]);
  held();
  expect(largeReads.load).toEqual({ used: 0, waiting: 0 });
  await Promise.all([handle.close(), other.close()]);
  await folder.remove();
});
