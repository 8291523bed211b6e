import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { execa } from "execa";
import { wasmFile } from "../../../server/index/assets.ts";
import { largestFunction } from "../../../server/index/baseline-module.ts";

test("V8 optimizes the functions of grammars, but none of the lexers that would take hundreds of megabytes", async () => {
  const { stdout, stderr } = await execa(process.execPath, [
    "--trace-wasm-compilation-times",
    join(import.meta.dirname, "parse-in-thread.ts"),
  ]);
  expect(stderr).toMatch(/^a\.md \d+$/m);
  expect(stderr).toMatch(/^a\.ps1 \d+$/m);
  const optimized = [...stdout.matchAll(/using TurboFan.*bodysize (\d+)/g)].map(([, size]) => Number(size));
  expect(optimized.length).toBeGreaterThan(0);
  expect(Math.max(...optimized)).toBeLessThan(40_000);
});

test.each([
  ["markdown", 100_000, 200_000],
  ["typescript", 10_000, 40_000],
])("the largest function of the grammar %s is found in its code", async (name, min, max) => {
  const size = largestFunction(await readFile(wasmFile(`tree-sitter-${name}.wasm`) ?? ""));
  expect(size).toBeGreaterThan(min);
  expect(size).toBeLessThan(max);
});

test("bytes that are not WebAssembly have no function", () => {
  expect(largestFunction(Buffer.from("not WebAssembly at all"))).toBe(0);
  expect(largestFunction(new Uint8Array())).toBe(0);
});
