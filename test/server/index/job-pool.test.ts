import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { JobPool } from "../../../server/index/job-pool.ts";
import { sharedListing } from "../../../server/index/text/shared-listing.ts";
import { asCaller } from "../../../server/shares/caller.ts";
import { makeRepository, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await makeRepository(folder.path, { "big.ts": "f(g(h(1,2),3),4);\n".repeat(40_000) });
});
afterAll(() => folder.remove());

const search = (pattern: string, files: string[], inside?: string) => ({
  root: folder.path,
  pattern,
  inside,
  language: "typescript" as const,
  folder: "",
  listing: sharedListing(files),
  database: undefined,
  max: 1e9,
});
/** A search that takes far longer than any test. */
const endless = () => search("$A", Array(500).fill("big.ts"), "$B");
const quick = () => search("f($$$)", []);

test("long jobs of one caller delay only its own jobs, whose time limit includes the wait and which can be cancelled", async () => {
  const pool = new JobPool("searches", 2, 128);
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const long = asCaller("greedy", () => [1, 2, 3].map(() => pool.run("structural", endless(), options)));
  const ended = Promise.allSettled(long);
  const another = () => asCaller("modest", () => pool.run("structural", quick(), { timeoutMs: 100_000 }));
  for (let n = 0; n < 5; n++) expect((await another()).matches).toEqual([]);
  const late = asCaller("greedy", () => pool.run("structural", quick(), { timeoutMs: 50 }));
  await expect(late).rejects.toThrow(/waited 0.1 s for its turn: this token already uses 1 of the 1 places/);
  abort.abort(new Error("gone"));
  expect((await ended).map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect((await another()).matches).toEqual([]);
  await pool.close();
});
