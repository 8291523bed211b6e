import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { onCurrent } from "../../../server/index/on-current.ts";
import { ToolError } from "../../../server/tool-error.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-generations-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Generations of an index, of which each build removes the one before. */
function generations() {
  let n = 0;
  const current = () => Promise.resolve(join(folder, String(n)));
  const build = async () => {
    await rm(await current(), { force: true });
    n++;
    await writeFile(await current(), "");
  };
  return { current, build };
}
const unopened = new Error("unable to open database file");

test("a job whose generation was removed while it waited runs over the next one", async () => {
  const { current, build } = generations();
  await build();
  const seen: string[] = [];
  const answer = await onCurrent(current, async (database) => {
    seen.push(database.slice(folder.length + 1));
    if (seen.length < 3) {
      await build();
      throw unopened;
    }
    return "found";
  });
  expect(answer).toBe("found");
  expect(seen).toEqual(["1", "2", "3"]);
});

test("it gives up when each build overtakes it", async () => {
  const { current, build } = generations();
  await build();
  let runs = 0;
  const answer = onCurrent(current, async () => {
    runs++;
    await build();
    throw unopened;
  });
  await expect(answer).rejects.toThrow(unopened);
  expect(runs).toBe(3);
});

test.each([
  ["another failure", new Error("out of memory"), false],
  ["a refusal", new ToolError("no such symbol"), true],
])("%s is reported at once", async (_what, error, isRemoved) => {
  const { current, build } = generations();
  await build();
  let runs = 0;
  const answer = onCurrent(current, async () => {
    runs++;
    if (isRemoved) await build();
    throw error;
  });
  await expect(answer).rejects.toThrow(error);
  expect(runs).toBe(1);
});

test("a job without an index fails as it does", async () => {
  const answer = onCurrent(
    () => Promise.resolve(undefined),
    () => Promise.reject(unopened),
  );
  await expect(answer).rejects.toThrow(unopened);
});
