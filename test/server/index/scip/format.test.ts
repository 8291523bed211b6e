import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ScipError, type ScipPart, scipParts } from "../../../../server/index/scip/format.ts";
import { descriptorsOf, isLocal, packageOf } from "../../../../server/index/scip/symbol-name.ts";
import { piecesOf, writeScip } from "./write-scip.ts";

async function partsOf(bytes: Uint8Array, size = 7): Promise<ScipPart[]> {
  const parts: ScipPart[] = [];
  for await (const part of scipParts(piecesOf(bytes, size))) parts.push(part);
  return parts;
}

const INDEX = writeScip([
  {
    path: "a.ts",
    encoding: 2,
    occurrences: [
      ["t npm p 1 `a.ts`/A#", 0, 13, 14, "definition"],
      ["local 1", 3, 4, 9],
    ],
    relations: [["t npm p 1 `a.ts`/A#run().", "t npm p 1 `a.ts`/B#run()."]],
  },
  { path: "b.ts", occurrences: [] },
]);

describe("a SCIP index", () => {
  test.each([1, 7, 10_000])("is read part by part, in pieces of %d bytes", async (size) => {
    expect(await partsOf(INDEX, size)).toEqual([
      { metadata: { tool: "scip-test", version: "" } },
      {
        document: {
          path: "a.ts",
          unit: "utf16",
          occurrences: [
            {
              symbol: "t npm p 1 `a.ts`/A#",
              line: 0,
              column: 13,
              endLine: 0,
              endColumn: 14,
              isDefinition: true,
            },
            { symbol: "local 1", line: 3, column: 4, endLine: 3, endColumn: 9, isDefinition: false },
          ],
          relations: [{ from: "t npm p 1 `a.ts`/A#run().", to: "t npm p 1 `a.ts`/B#run()." }],
        },
      },
      { document: { path: "b.ts", unit: undefined, occurrences: [], relations: [] } },
    ]);
  });

  test.each([
    ["a text", Buffer.from("hello, this is no index")],
    ["half of an index", INDEX.subarray(0, INDEX.length - 3)],
    ["a message of two gigabytes", Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x07])],
    ["an endless length", Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["a range behind its message", Buffer.from([0x12, 6, 0x12, 4, 0x0a, 0x7f, 1, 2])],
  ])("is refused if it is %s", async (_, bytes) => {
    await expect(partsOf(bytes)).rejects.toThrow(ScipError);
  });

  test("with any damage is read, or refused as no index", async () => {
    const damage = fc.array(fc.tuple(fc.nat(INDEX.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(damage, fc.integer({ min: 1, max: 64 }), async (changes, size) => {
        const bytes = Uint8Array.from(INDEX);
        for (const [at, value] of changes) bytes[at] = value;
        await partsOf(bytes, size).catch((error) => expect(error).toBeInstanceOf(ScipError));
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ["scip-typescript npm p 1.0 src/`a.ts`/Class#method().", ["src", "a.ts", "Class", "method"], "npm p 1.0"],
  ["scip-typescript npm p 1.0 `a.ts`/run(+1).(x)", ["a.ts", "run", "x"], "npm p 1.0"],
  ["scip-python pip p 0.1 `a.b`/__init__:", ["a.b", "__init__"], "pip p 0.1"],
  [
    "rust-analyzer cargo c 0.1 m/impl#[`Vec<T>`][Trait]f().",
    ["m", "impl", "Vec<T>", "Trait", "f"],
    "cargo c 0.1",
  ],
  ["s m with  blank 1 `a``b`#", ["a`b"], "m with blank 1"],
  ["scip-typescript npm . . `a.ts`/x.", ["a.ts", "x"], "npm"],
  ["local 12", [], undefined],
])("the names in the symbol %s", (symbol, names, from) => {
  expect(descriptorsOf(symbol)).toEqual(names);
  expect(packageOf(symbol)).toBe(from);
  expect(isLocal(symbol)).toBe(from === undefined);
});
