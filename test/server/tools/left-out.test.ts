import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { buildIndex } from "../../../server/index/build.ts";
import { IndexFolder } from "../../../server/index/folder.ts";
import { overview } from "../../../server/index/queries/overview.ts";
import { findReferences } from "../../../server/tools/find-references.ts";
import { findSymbol } from "../../../server/tools/find-symbol.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { repoMap } from "../../../server/tools/repo-map.ts";
import { search } from "../../../server/tools/search.ts";
import { searchSemantic } from "../../../server/tools/search-semantic.ts";
import { searchStructural } from "../../../server/tools/search-structural.ts";
import { symbolsOverview } from "../../../server/tools/symbols-overview.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { makeRepository, temporaryFolder } from "../support.ts";
import { type Lab, makeCodeLab } from "./support.ts";

const MIB = 1024 * 1024;
const FILES = {
  "src/a.ts": "export function small() {}\nsmall();\n",
  "src/large.ts": `${"// filler\n".repeat(MIB / 10 + 100)}export function deep() {}\n`,
  "src/binary.py": "def f(): pass\0\n",
  "src/minified.js": `${"var a=1;".repeat(200)}function deep(){}\n`,
  "src/many.go": `package many\n${Array.from({ length: 5_001 }, (_, n) => `func f${n}() {}\n`).join("")}`,
  "data/large.csv": "1,2,3\n".repeat(MIB / 6 + 100),
  "data/picture.png": "\x89PNG\0\0",
  "data/large.png": `\x89PNG\0${"\0".repeat(MIB)}`,
};
const EXPECTED = [
  "data/large.csv (larger than 1 MiB)",
  "src/binary.py (binary)",
  "src/large.ts (larger than 1 MiB)",
  "src/many.go (only its first 5000 symbols)",
  "src/minified.js (minified: no symbols)",
];

let lab: Lab;
beforeAll(async () => {
  lab = await makeCodeLab(FILES);
});
afterAll(() => lab.remove());

describe("files that the index lacks are named", () => {
  const CALLS: [Tool, Record<string, unknown>][] = [
    [findSymbol, { name: "deep" }],
    [findSymbol, { name: "small" }],
    [symbolsOverview, {}],
    [findReferences, { name: "deep" }],
    [goToDefinition, { path: "src/a.ts", line: 2 }],
    [repoMap, {}],
    [searchSemantic, { query: "deep" }],
  ];
  test.each(CALLS.map(([tool, args]) => [tool.name, args, tool] as const))("%s %j", async (_, args, tool) => {
    const { index } = (await lab.call(tool, args)) as { index: { left_out?: unknown } };
    expect(index.left_out).toEqual({ files: 5, examples: EXPECTED });
  });

  test("only those of the requested folder or file", async () => {
    const leftOut = async (path: string) =>
      ((await lab.call(symbolsOverview, { path })) as { index: { left_out?: unknown } }).index.left_out;
    expect(await leftOut("src/large.ts")).toEqual({ files: 1, examples: [EXPECTED[2]] });
    expect(await leftOut("data")).toEqual({ files: 1, examples: [EXPECTED[0]] });
    expect(await leftOut("src/a.ts")).toBeUndefined();
  });

  test("only those of the requested language, in search_structural", async () => {
    const found = await lab.call(searchStructural, { pattern: "deep()", language: "typescript" });
    expect(found.note).toContain("Skipped: src/large.ts (larger than 1 MiB).");
    const none = await lab.call(searchStructural, { pattern: "a { color: red }", language: "css" });
    expect(none.note).not.toContain("Skipped");
  });

  test("in the caller's log, for search, whose answer has no field for them", async () => {
    const messages: string[] = [];
    const { workspace, index, semantic } = lab;
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
    expect(messages).toEqual([`info code: 5 files are not in the index, such as ${EXPECTED.join(", ")}`]);
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
