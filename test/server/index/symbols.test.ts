import { describe, expect, test } from "@jest/globals";
import { languageOf } from "../../../server/index/languages.ts";
import { occurrencesOf } from "../../../server/index/occurrences.ts";
import { outlineOf } from "../../../server/index/symbols.ts";

/** `kind path` of each definition of a text, in order. */
async function read(file: string, text: string): Promise<string[]> {
  const language = languageOf(file);
  if (!language) throw new Error(`no language for ${file}`);
  const outline = await outlineOf(text, language);
  return (outline?.symbols ?? []).map((s) => `${s.kind} ${[s.parent, s.name].filter(Boolean).join("/")}`);
}

describe("outlineOf", () => {
  test("gives the position, the extent and the head of a definition", async () => {
    const text =
      "// first\n@Deco()\nexport class A extends B {\n  run(\n    x: number,\n  ): void {\n  }\n}\n";
    const language = languageOf("a.ts");
    const symbols = language && (await outlineOf(text, language))?.symbols;
    expect(symbols?.[0]).toMatchObject({ name: "A", line: 3, column: 14, end_line: 8 });
    expect(symbols?.[1]).toMatchObject({ line: 4, end_line: 7, signature: "run( x: number, ): void" });
  });

  test("returns the symbols that it finds in broken, empty and very deep texts", async () => {
    expect(await read("a.ts", "")).toEqual([]);
    expect(await read("a.ts", "function ok() {}\nclass {{{ ((\n")).toContain("function ok");
    expect(Array.isArray(await read("a.ts", `${"(".repeat(50_000)}`))).toBe(true);
    expect(await read("a.ts", "function after() {}")).toEqual(["function after"]);
  });
});

describe("occurrencesOf", () => {
  test("excludes comments, strings and parts of words, and gives the role of each use", async () => {
    const text = `import { run } from "./run";
// run in a comment
const text = "run in a string";
run();
const other: run = rerun(run);
`;
    const found = await occurrencesOf(text, languageOf("a.ts"), "run");
    expect(found.map((o) => [o.line, o.column, o.role])).toEqual([
      [1, 10, "import"],
      [4, 1, "call"],
      [5, 14, "type"],
      [5, 26, "use"],
    ]);
  });

  test("includes every whole word without a grammar", async () => {
    const found = await occurrencesOf("run, rerun; # run\n", languageOf("notes.txt"), "run");
    expect(found.map((o) => [o.column, o.role])).toEqual([
      [1, "text"],
      [15, "text"],
    ]);
  });
});
