import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { buildIndex } from "../../../server/index/build.ts";
import { IndexFolder } from "../../../server/index/folder.ts";
import { overview } from "../../../server/index/queries/overview.ts";
import { answerText } from "../../../server/tools/answers/text.ts";
import { callHierarchy } from "../../../server/tools/call-hierarchy.ts";
import { explore } from "../../../server/tools/explore.ts";
import { findReferences } from "../../../server/tools/find-references.ts";
import { findSymbol } from "../../../server/tools/find-symbol.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { repoMap } from "../../../server/tools/repo-map.ts";
import { search } from "../../../server/tools/search.ts";
import { searchSemantic } from "../../../server/tools/search-semantic.ts";
import { searchStructural } from "../../../server/tools/search-structural.ts";
import { searchText } from "../../../server/tools/search-text.ts";
import { symbolsOverview } from "../../../server/tools/symbols-overview.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { makeRepository, temporaryFolder } from "../support.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

const MIB = 1024 * 1024;
const FILES = {
  "src/a.ts": "export function small() {}\nsmall();\n",
  "src/large.ts": `${"// filler\n".repeat(MIB / 10 + 100)}export function deep() {}\n`,
  "src/binary.py": "def f(): pass\0\n",
  "src/minified.js": `${"var a=1;".repeat(200)}function deep(){}\n`,
  "src/many.go": `package many\n${Array.from({ length: 5_001 }, (_, n) => `func f${n}() {}\n`).join("")}`,
  "data/huge.sql": "-- small\n".repeat((17 * MIB) / 9),
  "data/large.csv": "1,2,3\n".repeat(MIB / 6 + 100),
  "data/picture.png": "\x89PNG\0\0",
  "data/large.png": `\x89PNG\0${"\0".repeat(MIB)}`,
};
const EXPECTED = [
  "data/huge.sql (larger than 1 MiB)",
  "data/large.csv (larger than 1 MiB)",
  "src/binary.py (binary)",
  "src/large.ts (larger than 1 MiB)",
  "src/many.go (only its first 5000 symbols)",
];

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
});
afterAll(() => fixture.remove());

describe("files that the index lacks are named", () => {
  const leftOutOf = async (tool: Tool, args: Record<string, unknown>) => {
    const result = await fixture.call(tool, args);
    const { left_out } = result.index as { left_out?: unknown };
    return { left_out, text: answerText(tool, result) };
  };

  test.each<[string, Record<string, unknown>, Tool]>([
    ["find_symbol", { name: "deep" }, findSymbol],
    ["find_references", { name: "absent" }, findReferences],
    ["explore", { query: "deep" }, explore],
    ["call_hierarchy", { name: "deep" }, callHierarchy],
  ])("with examples in an empty answer: %s %j", async (_, args, tool) => {
    const { left_out, text } = await leftOutOf(tool, args);
    expect(left_out).toEqual({ files: 6, examples: EXPECTED });
    expect(text).toContain(`Not in the index: 6 files, such as ${EXPECTED[0]}`);
  });

  test.each<[string, Record<string, unknown>, Tool]>([
    ["find_symbol", { name: "small" }, findSymbol],
    ["symbols_overview", {}, symbolsOverview],
    ["find_references", { name: "small" }, findReferences],
    ["go_to_definition", { path: "src/a.ts", line: 2 }, goToDefinition],
    ["repo_map", {}, repoMap],
    ["explore", { query: "small" }, explore],
    ["search_semantic", { query: "deep" }, searchSemantic],
  ])("by their number beside results: %s %j", async (_, args, tool) => {
    const { left_out, text } = await leftOutOf(tool, args);
    expect(left_out).toEqual({ files: 6 });
    expect(text).toContain("\n6 files are not in the index.");
    expect(text).not.toContain("larger than");
  });

  test("only those of the requested folder or file", async () => {
    const leftOut = async (path: string) =>
      ((await fixture.call(symbolsOverview, { path })) as { index: { left_out?: unknown } }).index.left_out;
    expect(await leftOut("src/large.ts")).toEqual({ files: 1, examples: [EXPECTED[3]] });
    expect(await leftOut("data")).toEqual({ files: 2, examples: EXPECTED.slice(0, 2) });
    expect(await leftOut("src/a.ts")).toBeUndefined();
  });

  test.each([
    ["the index narrows", { query: "small" }],
    ["ripgrep alone can do", { query: "s..ll", regex: true }],
    ["counts", { query: "small", output: "files" }],
  ])("as too large, in a search of text with matches elsewhere that %s", async (_, args) => {
    const note = "Not searched, larger than 16 MiB: data/huge.sql.";
    expect(await fixture.call(searchText, args)).toMatchObject({ note });
    expect(await fixture.call(searchText, { ...args, path: "src" })).not.toHaveProperty("note");
    expect(await fixture.call(searchText, { ...args, globs: ["*.ts"] })).not.toHaveProperty("note");
    const { note: why } = await fixture.call(searchText, { ...args, path: "data" });
    expect(why).toContain("with a match: data/huge.sql");
  });

  test("only those of the requested language, in search_structural", async () => {
    const found = await fixture.call(searchStructural, { pattern: "deep()", language: "typescript" });
    expect(found.note).toContain("Skipped: src/large.ts (larger than 1 MiB).");
    const none = await fixture.call(searchStructural, { pattern: "a { color: red }", language: "css" });
    expect(none.note).not.toContain("Skipped");
  });

  test("in the caller's log, for search, whose answer has no field for them", async () => {
    const messages: string[] = [];
    const { workspace, index, semantic } = fixture;
    const signal = new AbortController().signal;
    const log = (level: string, message: string) => messages.push(`${level} ${message}`);
    await search.run(search.input.parse({ query: "deep" }), {
      workspace,
      index,
      semantic,
      signal,
      ripgrep: "",
      log,
    });
    expect(messages).toEqual([`info code: 6 files are not in the index, such as ${EXPECTED.join(", ")}`]);
  });
});

test("an update also updates the list of omitted files, including those beyond its limit", async () => {
  const folder = await temporaryFolder();
  try {
    const root = join(folder.path, "repo");
    const dir = join(folder.path, "index");
    await makeRepository(root, {
      ".gitignore": "secret.env\n",
      "a.ts": "let a;\n",
      "b.ts": "let b;\n",
      "c.ts": "let c;\n",
    });
    const leftOut = async () => {
      await buildIndex({ dir, root, maxFiles: 3 });
      const database = (await new IndexFolder(dir, root).current()) ?? "";
      const job = { database, root, path: "", depth: 1, offset: 0, limit: 9 };
      const { left_out, symbols } = await overview(job);
      return [left_out.examples, symbols.map((s) => s.name).join("")];
    };
    expect(await leftOut()).toEqual([["c.ts (more than 3 files)"], "ab"]);
    await writeFile(join(root, "a.ts"), `let a;\n${"// filler\n".repeat(MIB / 10 + 1)}`);
    expect(await leftOut()).toEqual([["a.ts (larger than 1 MiB)", "c.ts (more than 3 files)"], "b"]);
    await rm(join(root, "a.ts"));
    await promisify(execFile)("git", ["-C", root, "add", "--all"]);
    expect(await leftOut()).toEqual([[], "bc"]);
    await writeFile(join(root, "c.ts"), "let c\0;\n");
    expect(await leftOut()).toEqual([["c.ts (binary)"], "b"]);
    await writeFile(join(root, "c.ts"), "let c;\n");
    expect(await leftOut()).toEqual([[], "bc"]);
  } finally {
    await folder.remove();
  }
});
