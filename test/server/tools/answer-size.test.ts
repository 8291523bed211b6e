import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { beginning, sizeOf, sizeOfText } from "../../../server/answer-size.ts";
import { TOOLS } from "../../../server/tools/index.ts";
import { MOST_CHARS } from "../../../server/tools/schema.ts";
import { makeCodeFixture } from "./support.ts";

test("the size of a text is at least its JSON, and counts non-ASCII characters three times", () => {
  expect(sizeOfText('a"\\\n\u0001é')).toBe(1 + 2 + 2 + 2 + 6 + 3);
  expect(sizeOf({ a: "漢" })).toBe('{"a":"漢"}'.length + 2);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
      expect(sizeOfText(text)).toBeGreaterThanOrEqual(JSON.stringify(text).length - 2);
    }),
  );
});

test("a beginning fits, is a prefix of the text, and does not split a character", () => {
  expect(beginning("ab漢字", 7)).toBe("ab漢");
  expect(beginning("a😀b", 6)).toBe("a");
  expect(beginning("abc", 3)).toBe("abc");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), fc.nat(60), (text, max) => {
      const kept = beginning(text, max);
      expect(text.startsWith(kept)).toBe(true);
      expect(sizeOfText(kept)).toBeLessThanOrEqual(max);
      expect(kept).toBe(kept.toWellFormed());
    }),
  );
});

/** 25,000 tokens of three characters. */
const MOST = 75_000;

/** The largest results that can be requested of each tool. */
const GREEDY: Record<string, Record<string, unknown>> = {
  list_repos: {},
  list_files: { max_results: 2_000 },
  find_files: { query: "f", max_results: 500 },
  read_file: { path: "big.txt" },
  search_text: { query: "needle", max_results: 500, context: 10 },
  search_structural: { pattern: "$A", language: "typescript", max_results: 500 },
  symbols_overview: { max_results: 2_000, depth: 10 },
  search_semantic: { query: "needle", max_results: 100 },
  find_symbol: { name: "漢", match: "prefix", max_results: 500, include_body: true },
  find_references: { name: "needle", max_results: 1_000 },
  go_to_definition: { path: "f0.ts", line: 2, symbol: "needle", max_results: 100 },
  call_hierarchy: { name: "needle", max_results: 500 },
  explore: { query: "needle 漢0x1", max_tokens: 20_000 },
  repo_map: { max_tokens: 20_000 },
  git_log: { max_results: 500 },
  git_diff: { commit: "HEAD" },
  git_blame: { path: "big.txt" },
  search: { query: "needle 漢0x1" },
  fetch: { id: "code:big.txt" },
};

test("no answer is longer than 25,000 tokens, whatever the files contain", async () => {
  const line = `needle("漢字漢字漢字", '\u0001\u0002"\\\\');`;
  // Some 400 kB of code: far more than an answer holds, and little enough for the time limit of a call on a slow host.
  const functions = (file: number) =>
    Array.from(
      { length: 100 },
      (_, n) => `export function 漢${file}x${n}() {\n${`${line}\n`.repeat(12)}}\n`,
    ).join("");
  const fixture = await makeCodeFixture({
    ".gitignore": "secret.env\n",
    "big.txt": `${line}\n`.repeat(3_000),
    "control.txt": "\u0001".repeat(100_000),
    ...Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`f${n}.ts`, functions(n)])),
    ...Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`${"漢".repeat(60)}${n}.txt`, "needle\n"])),
  });
  try {
    for (const tool of TOOLS) {
      const args = { ...GREEDY[tool.name] };
      expect(GREEDY[tool.name]).toBeDefined();
      if ("max_answer_chars" in tool.input.shape) args.max_answer_chars = MOST_CHARS;
      const size = sizeOf(await fixture.call(tool, args));
      expect([tool.name, size > 50 && size < MOST]).toEqual([tool.name, true]);
    }
    for (const path of ["control.txt", "big.txt"])
      expect(
        sizeOf(
          await fixture.call(TOOLS.find((t) => t.name === "read_file") as never, {
            path,
            max_answer_chars: MOST_CHARS,
          }),
        ),
      ).toBeLessThan(MOST);
  } finally {
    await fixture.remove();
  }
});
