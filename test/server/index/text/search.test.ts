import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { CodeIndex } from "../../../../server/index/code-index.ts";
import { sharedListing } from "../../../../server/index/text/shared-listing.ts";
import { findSymbol } from "../../../../server/tools/find-symbol.ts";
import { searchText } from "../../../../server/tools/search-text.ts";
import type { ToolContext } from "../../../../server/tools/tool.ts";
import { listGitFiles, listTrackedIgnored } from "../../../../server/workspace/git.ts";
import { findRipgrep } from "../../../../server/workspace/ripgrep.ts";
import { type Fixture, makeCodeFixture } from "../../tools/support.ts";

/** Words with other cases, other Unicode forms and other lengths in UTF-8, and what ends a word or a line for some programs only. */
const WORDS = [
  ...["foo", "Foo", "FOO", "bar", "Bar", "baz", "foobar", "_1", "42", "日本語", "Σίσυφος", "σίσυφοσ"],
  ...["caf\u00e9", "cafe\u0301", "\u212aelvin", "kelvin", "\u017ftop", "stop", "stra\u00dfe", "😀", "Ǆ"],
  ...["()", "[x]", "a.b", "*", "\\", "\u2028", "\ufffd", "é"],
];
const word = fc.constantFrom(...WORDS);
const blank = fc.constantFrom("", " ", "  ", "\t", "-");
const line = fc.array(fc.tuple(word, blank), { maxLength: 5 }).map((parts) => parts.flat().join(""));
const text = fc
  .array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n", "\r\n", "\r")), { maxLength: 12 })
  .map((lines) => lines.flat().join(""));
const bytes = fc.tuple(
  text,
  fc.constantFrom("utf8", "utf8", "utf8", "bom", "le", "be", "bad", "nul", "late"),
);
const encoded = bytes.map(([content, encoding]) => encode(content, encoding));

function encode(content: string, encoding: string): Buffer {
  const wide = Buffer.from(`\ufeff${content}`, "utf16le");
  if (encoding === "le") return wide;
  if (encoding === "be") return Buffer.from(wide).swap16();
  if (encoding === "bom") return Buffer.from(`\ufeff${content}`);
  if (encoding === "bad") return Buffer.concat([Buffer.from(content), Buffer.from([0xff, 0x66, 0x6f, 0x6f])]);
  if (encoding === "nul") return Buffer.from(`${content}\0foo bar\n`);
  if (encoding === "late") return Buffer.from(`${content}${"x\n".repeat(40_000)}foo\0bar\nbaz\n`);
  return Buffer.from(content);
}

const PATHS = [
  "a.ts",
  "b.ts",
  "src/a.ts",
  "src/deep/a.js",
  "src/deep/b.ts",
  "src.d/x.md",
  "dist/kept.js",
  "ü.txt",
];
const GLOBS = [
  "*.ts",
  "src/**",
  "!src/deep",
  "**/a.*",
  "/a.ts",
  "*.{ts,js}",
  "deep/",
  "!*.js",
  "src/*",
  "[ab].ts",
];

const literal = fc.array(word, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(" "));
const escaped = (literalText: string) => literalText.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
const piece = fc.oneof(
  { weight: 4, arbitrary: word.map(escaped) },
  fc.constantFrom(
    "\\w+",
    ".*",
    ".",
    "\\s*",
    "\\b",
    "^",
    "$",
    "[a-f]",
    "[^o]",
    "\\d{1,2}",
    "(?:foo|bar)",
    "o+",
    "b?",
    "\\W",
  ),
  fc.constantFrom(
    "(b|ar)",
    "[\\w.]",
    "\\n",
    "\\S+?",
    "(fo{2})",
    "\\x41",
    "[[:alpha:]]",
    "{",
    "(?i)foo",
    ".*?",
    "\\B",
  ),
);
const regex = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(""));
const query = fc.oneof(
  literal.map((one) => ({ query: one, regex: false })),
  fc.tuple(word, word).map(([a, b]) => ({ query: `${a}\n${b}`, regex: false })),
  regex.map((one) => ({ query: one, regex: true })),
);
const args = fc.record({
  query,
  case: fc.constantFrom("smart", "sensitive", "insensitive"),
  globs: fc.array(fc.constantFrom(...GLOBS), { maxLength: 2 }),
  path: fc.constantFrom("", "", "", "src", "a.ts"),
  output: fc.constantFrom("matches", "matches", "files"),
  context: fc.constantFrom(0, 0, 2),
  max_results: fc.constantFrom(1, 3, 100),
});
const change = fc.record({
  path: fc.constantFrom(...PATHS, "new/file.ts", "other.ts"),
  how: fc.constantFrom("write", "write", "delete", "touch", "link", "folder"),
  content: encoded,
});

let fixture: Fixture;
let root: string;
let ripgrep: string;
beforeAll(async () => {
  const [first = []] = fc.sample(fc.array(encoded, { minLength: PATHS.length, maxLength: PATHS.length }), {
    seed: 7,
    numRuns: 1,
  });
  const files = Object.fromEntries(PATHS.map((path, n) => [path, first[n] ?? ""]));
  fixture = await makeCodeFixture({ ".gitignore": "dist/\n", ...files });
  root = join(fixture.path, "code");
  ripgrep = await findRipgrep(undefined);
});
afterAll(() => fixture.remove());

async function apply({ path, how, content }: { path: string; how: string; content: Buffer }): Promise<void> {
  const file = join(root, path);
  if (how === "folder") {
    await rename(join(root, "src"), join(root, "moved")).catch(() => undefined);
    await rename(join(root, "moved"), join(root, "src")).catch(() => undefined);
  } else if (how === "touch") await utimes(file, 1, 1).catch(() => undefined);
  else {
    await rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true });
    if (how === "write") await writeFile(file, content);
    if (how === "link") await symlink("b.ts", file);
  }
}

/** The answer with a fixed listing, so that both ways have the same one. */
async function answer(
  asked: Record<string, unknown>,
  files: ReadonlySet<string>,
  index: Pick<CodeIndex, "searchText" | "tooLargeTexts">,
) {
  const repo = { name: "code", root };
  const trackedIgnored = async () => new Set(await listTrackedIgnored(root));
  const workspace = { find: async () => repo, files: async () => files, trackedIgnored };
  const context = { workspace, ripgrep, index, signal: new AbortController().signal };
  const parsed = searchText.input.parse(asked);
  try {
    const { note, ...rest } = await searchText.run(parsed, context as unknown as ToolContext);
    return { ...rest, noted: note !== undefined };
  } catch (error) {
    return { refused: (error as Error).message };
  }
}

/** How many searches the index answered. */
let answered = 0;
const counted = {
  tooLargeTexts: async () => [],
  searchText: async (...all: Parameters<CodeIndex["searchText"]>) => {
    const found = await fixture.index.searchText(...all);
    if (found) answered++;
    return found;
  },
};
const without = { searchText: async () => undefined, tooLargeTexts: async () => [] };

describe("search_text by the index", () => {
  test("finds what ripgrep finds, in files that change meanwhile", async () => {
    // The first query starts the thread, which may take longer on a slow host than a search waits for the index.
    await fixture.call(findSymbol, { name: "foo" });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 2 }),
        fc.array(args, { minLength: 3, maxLength: 3 }),
        async (changes, searches) => {
          for (const one of changes) await apply(one);
          const files = new Set(await listGitFiles(root));
          for (const { query: asked, ...rest } of searches) {
            const all = { ...asked, ...rest };
            const found = await answer(all, files, counted);
            expect([all, found]).toEqual([all, await answer(all, files, without)]);
          }
        },
      ),
      { numRuns: 30, seed: 1 },
    );
    expect(answered).toBeGreaterThan(20);
    // Some 500 programs run.
  }, 360_000);
});

describe("search_structural by the index", () => {
  test("finds code in files that changed since they were indexed, and keeps no tree of an old content", async () => {
    const repo = { name: "code", root };
    const find = async () => {
      const listing = sharedListing(await listGitFiles(root));
      const job = {
        pattern: "new Alpha($A)",
        inside: undefined,
        language: "typescript",
        folder: "",
        listing,
        max: 9,
      } as const;
      const { matches } = await fixture.index.structural(repo, job, { signal: new AbortController().signal });
      return matches.map(({ path, line, captures }) => `${path}:${line} ${captures.A}`);
    };
    await apply({ path: "a.ts", how: "write", content: Buffer.from("new Alpha(1);\n") });
    expect(await find()).toEqual(["a.ts:1 1"]);
    await apply({ path: "a.ts", how: "write", content: Buffer.from("\nnew Alpha(2);\n") });
    await apply({ path: "new/b.ts", how: "write", content: Buffer.from("new Alpha(3);\n") });
    expect(await find()).toEqual(["a.ts:2 2", "new/b.ts:1 3"]);
    await fixture.index.refresh();
    for (let again = 0; again < 2; again++) expect(await find()).toEqual(["a.ts:2 2", "new/b.ts:1 3"]);
    await writeFile(join(root, "a.ts"), "\nnew Omega(2);\n");
    expect(await find()).toEqual(["new/b.ts:1 3"]);
  });
});
