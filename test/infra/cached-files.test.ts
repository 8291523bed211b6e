import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeCached, UNUSED_MS, useCached, writeCached } from "../../infra/cached-files.ts";

let folder = "";
const file = (name: string) => join(folder, name);
const age = (name: string, ms: number) =>
  utimesSync(file(name), new Date(Date.now() - ms), new Date(Date.now() - ms));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mcp-edge-cached-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("two writers of one file leave one whole file", async () => {
  const content = "a".repeat(5_000_000);
  await Promise.all(Array.from({ length: 8 }, () => writeCached(file("release"), content)));
  expect(readdirSync(folder)).toEqual(["release"]);
  expect(readFileSync(file("release"), "utf8") === content).toBe(true);
});

test("a failed writer leaves nothing", async () => {
  const failing = makeCached(file("bundle"), async (partial) => {
    writeFileSync(partial, "half");
    throw new Error("disk full");
  });
  await expect(failing).rejects.toThrow("disk full");
  expect(readdirSync(folder)).toEqual([]);
});

test("a write deletes the files that were not used for two weeks", async () => {
  for (const name of ["old", "used", "recent", "old.partial"]) writeFileSync(file(name), name);
  for (const name of ["old", "used", "old.partial"]) age(name, UNUSED_MS + 60_000);
  age("recent", UNUSED_MS - 60_000);
  expect(await useCached(file("used"))).toBe(true);
  await writeCached(file("new"), "new");
  expect(readdirSync(folder).sort()).toEqual(["new", "recent", "used"]);
});

test("only a complete set of files counts as cached, and as used", async () => {
  writeFileSync(file("archive"), "");
  age("archive", 60_000);
  const before = statSync(file("archive")).mtimeMs;
  expect(await useCached(file("archive"), file("sbom"))).toBe(false);
  expect(statSync(file("archive")).mtimeMs).toBe(before);
});
