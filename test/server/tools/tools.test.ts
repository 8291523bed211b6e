import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { TOOLS } from "../../../server/tools/index.ts";
import { listFiles } from "../../../server/tools/list-files.ts";
import { readFile } from "../../../server/tools/read-file.ts";
import { searchText } from "../../../server/tools/search-text.ts";
import { type Fixture, makeFixture } from "./support.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
});
afterAll(() => fixture.remove());

const alpha = (args: Record<string, unknown> = {}) => ({ repo: "alpha", ...args });
const list = async (args: Record<string, unknown> = {}) =>
  (await fixture.call(listFiles, alpha(args))).files as string[];
const search = async (args: Record<string, unknown>) =>
  (await fixture.call(searchText, alpha(args))) as {
    matches: { path: string; line: number; text: string }[];
    truncated: boolean;
  };
const paths = async (args: Record<string, unknown>) => (await search(args)).matches.map((m) => m.path);

test("tool names are valid for every client, and each description has the tool's limits", () => {
  for (const tool of TOOLS) {
    expect(tool.name).toMatch(/^[A-Za-z0-9_./-]{1,64}$/);
    expect(tool.title).not.toBe("");
    const { properties = {} } = z.toJSONSchema(tool.input, { io: "input" });
    for (const [name, schema] of Object.entries(properties))
      expect([name, (schema as { description?: string }).description]).toEqual([name, expect.any(String)]);
  }
});

describe("the argument repo", () => {
  test("is required with several repositories", async () => {
    await expect(fixture.call(listFiles, {})).rejects.toThrow(
      'There are several repositories. Pass "repo": one of alpha, beta.',
    );
    await expect(fixture.call(listFiles, { repo: "gamma" })).rejects.toThrow(
      'Pass "repo": one of alpha, beta.',
    );
    expect((await fixture.call(listFiles, { repo: "beta" })).files).toEqual([".gitignore", "beta.txt"]);
  });

  test.each(["..", "linked", "not-a-repository", "/etc", ".", "alpha/src"])(
    "is refused if it is %s",
    async (repo) => {
      await expect(fixture.call(listFiles, { repo })).rejects.toThrow("There is no repository");
    },
  );
});

describe("list_files", () => {
  test("lists what git lists, sorted, without ignored files and .git", async () => {
    const files = await list();
    expect(files).toContain("src/main.ts");
    expect(files).toContain(".github/ci.yml");
    expect(files).not.toContain("secret.env");
    expect(files.some((f) => f.startsWith(".git/"))).toBe(false);
    expect(files).toEqual([...files].sort());
  });

  test("lists a folder, and filters by globs from the folder or at any depth", async () => {
    expect(await list({ path: "src" })).toEqual(["src/deep/other.ts", "src/main.ts"]);
    expect(await list({ glob: "*.ts", path: "src" })).toEqual(["src/deep/other.ts", "src/main.ts"]);
    expect(await list({ glob: "src/*.ts" })).toEqual(["src/main.ts"]);
    expect(await list({ glob: "deep/**", path: "src/" })).toEqual(["src/deep/other.ts"]);
    expect(await list({ path: "odd [name]*.md" })).toEqual(["odd [name]*.md"]);
    expect(await list({ glob: ":(exclude)src" })).toEqual([]);
  });

  test("returns pages by offset and max_results", async () => {
    const all = await list();
    const page = await fixture.call(listFiles, alpha({ offset: 2, max_results: 3 }));
    expect(page).toMatchObject({ files: all.slice(2, 5), total: all.length, truncated: true });
    expect(await fixture.call(listFiles, alpha({ offset: 1_000 }))).toMatchObject({
      files: [],
      truncated: false,
    });
  });

  test("lists a new file before it is committed", async () => {
    await writeFile(join(fixture.path, "beta", "fresh.txt"), "fresh\n");
    expect((await fixture.call(listFiles, { repo: "beta" })).files).toContain("fresh.txt");
    expect(await fixture.call(readFile, { repo: "beta", path: "fresh.txt" })).toMatchObject({
      text: "fresh",
    });
  });
});

describe("read_file", () => {
  const read = (args: Record<string, unknown>) => fixture.call(readFile, alpha(args));

  test("reads a whole file, a range and the end", async () => {
    expect(await read({ path: "README.md" })).toEqual({
      start_column: 1,
      source: { commit: expect.stringMatching(/^[0-9a-f]{40}$/), committed_at: expect.stringMatching(/Z$/) },
      repo: "alpha",
      path: "README.md",
      commit: null,
      size: 38,
      binary: false,
      total_lines: 3,
      start_line: 1,
      end_line: 3,
      truncated: false,
      next_line: null,
      next_column: null,
      text: "# Sample\n\nThe needle of the haystack.",
    });
    expect(await read({ path: "lines.txt", start_line: 99 })).toMatchObject({
      text: "line 99\nline 100",
      end_line: 100,
    });
    expect(await read({ path: "lines.txt", start_line: 2, end_line: 3 })).toMatchObject({
      text: "line 2\nline 3",
    });
    expect(await read({ path: "lines.txt", start_line: 500 })).toMatchObject({
      text: "",
      end_line: 499,
      next_line: null,
    });
    expect(await read({ path: "empty.txt" })).toMatchObject({ text: "", total_lines: 0, size: 0 });
    expect(await read({ path: "./src//main.ts" })).toMatchObject({ path: "src/main.ts" });
    expect(await read({ path: "inside-link.ts" })).toMatchObject({ total_lines: 3 });
    expect(await read({ path: "crlf.txt" })).toMatchObject({ text: "one\nneedle two", total_lines: 2 });
  });

  test("reads UTF-16 as text, as search_text does", async () => {
    expect(await read({ path: "wide.ps1" })).toMatchObject({ binary: false, text: "Write-Host sixteen" });
    expect(await paths({ query: "sixteen" })).toEqual(["wide.ps1"]);
  });

  test("refuses a range that ends before it begins", async () => {
    await expect(read({ path: "lines.txt", start_line: 5, end_line: 3 })).rejects.toThrow(
      "before start_line",
    );
  });

  test("cuts at a line for max_answer_chars, and says where to continue", async () => {
    expect(await read({ path: "lines.txt", max_answer_chars: 17 })).toMatchObject({
      text: "line 1\nline 2",
      truncated: true,
      next_line: 3,
    });
    expect(await read({ path: "long.js", max_answer_chars: 10 })).toMatchObject({
      text: "a".repeat(10),
      next_line: 1,
      next_column: 11,
    });
  });

  test("says that a file is binary", async () => {
    expect(await read({ path: "binary.dat" })).toMatchObject({ binary: true, size: 9, text: "" });
  });

  test("refuses a huge file, and says how to read it", async () => {
    await writeFile(join(fixture.path, "alpha", "huge.log"), Buffer.alloc(17 * 1024 * 1024, "x"));
    await expect(read({ path: "huge.log" })).rejects.toThrow("Use search_text with context");
  });

  test.each([
    ["../outside.txt", 'contains ".."'],
    ["src/../../outside.txt", 'contains ".."'],
    ["/etc/passwd", "is not in repository alpha"],
    ["leaves.txt", "a symbolic link that leaves the repository"],
    ["up/beta/beta.txt", "a symbolic link that leaves the repository"],
    ["zero", "a symbolic link that leaves the repository"],
    [".git/config", "files of git itself"],
    [".GIT/config", "files of git itself"],
    ["src/.git", "files of git itself"],
    ["config-link", "files of git itself"],
    ["secret.env", "ignored by git"],
    ["src", "is a folder"],
    ["missing.txt", "is not in repository alpha (ENOENT)"],
    ["README.md/x", "is not in repository alpha (ENOTDIR)"],
    ["x\0y", "NUL"],
    ["x".repeat(4_000), "ENAMETOOLONG"],
  ])("%j is refused", async (path, message) => {
    await expect(read({ path })).rejects.toThrow(message);
  });

  test("refuses a named pipe without waiting", async () => {
    await promisify(execFile)("mkfifo", [join(fixture.path, "alpha", "pipe")]);
    await expect(read({ path: "pipe" })).rejects.toThrow("not a regular file");
  });
});

describe("search_text", () => {
  test("searches the files that git lists, also in hidden folders, but none that is ignored, binary, linked or in .git", async () => {
    expect(await paths({ query: "needle" })).toEqual([
      ".github/ci.yml",
      "README.md",
      "crlf.txt",
      "long.js",
      "odd [name]*.md",
      "src/main.ts",
    ]);
  });

  test.each([[["*.env"]], [["**/*"]], [["secret.env", ".git/**"]], [["/.git/config"]]])(
    "does not search ignored files with the globs %j",
    async (globs) => {
      const found = [
        ...(await paths({ query: "PASSWORD", globs })),
        ...(await paths({ query: "repositoryformat", globs })),
      ];
      expect(found).toEqual([]);
    },
  );

  test("includes and excludes files by globs", async () => {
    expect(await paths({ query: "needle", globs: ["*.ts", "*.yml"] })).toEqual([
      ".github/ci.yml",
      "src/main.ts",
    ]);
    expect(await paths({ query: "needle", globs: ["!*.ts", "!*.yml", "!*.md"] })).toEqual([
      "crlf.txt",
      "long.js",
    ]);
  });

  test("searches a folder or one file", async () => {
    expect(await paths({ query: "needle", path: "src" })).toEqual(["src/main.ts"]);
    expect(await paths({ query: "needle", path: "odd [name]*.md" })).toEqual(["odd [name]*.md"]);
    await expect(search({ query: "needle", path: "../beta" })).rejects.toThrow('".."');
    await expect(search({ query: "needle", path: "up" })).rejects.toThrow("leaves the repository");
    await expect(search({ query: "needle", path: ".git" })).rejects.toThrow("files of git itself");
  });

  test("matches the end of a line before CRLF and before LF", async () => {
    expect(await paths({ query: "needle two$", regex: true })).toEqual(["crlf.txt"]);
    expect(await paths({ query: "haystack\\.$", regex: true })).toEqual(["README.md"]);
  });

  test("searches for a literal by default, and for a regular expression on request", async () => {
    expect(await paths({ query: "n.*dle" })).toEqual([]);
    expect(await paths({ query: '^export const (\\w+) = "n', regex: true })).toEqual(["src/main.ts"]);
    await expect(search({ query: "(", regex: true })).rejects.toThrow("The search was refused: ");
  });

  test.each(["--files", "-e", "--pre=/bin/sh", "-", "--"])(
    "takes the query %s as text, not as an option",
    async (query) => {
      expect((await search({ query, globs: ["!*"] })).matches).toEqual([]);
    },
  );

  test("case", async () => {
    expect(await paths({ query: "NEEDLE", path: "src" })).toEqual([]);
    expect(await paths({ query: "NEEDLE", path: "src", case: "insensitive" })).toEqual(["src/main.ts"]);
    expect(await paths({ query: "Sample", case: "sensitive" })).toEqual(["README.md"]);
  });

  test("returns lines before and after a match, without line ends", async () => {
    expect((await search({ query: "line 50", path: "lines.txt", context: 2 })).matches).toEqual([
      {
        path: "lines.txt",
        line: 50,
        column: 1,
        text: "line 50",
        before: ["line 48", "line 49"],
        after: ["line 51", "line 52"],
      },
    ]);
    expect((await search({ query: "needle", path: "crlf.txt" })).matches[0]?.text).toBe("needle two");
  });

  test("limits the results, and returns the part of a long line around the match", async () => {
    const some = await search({ query: "line", path: "lines.txt", max_results: 3, context: 1 });
    expect(some).toMatchObject({ truncated: true });
    expect(some.matches.map((m) => m.line)).toEqual([1, 2, 3]);
    expect((await search({ query: "line 9", max_results: 11 })).truncated).toBe(false);
    const [long] = (await search({ query: "needle", path: "long.js" })).matches;
    expect(long).toMatchObject({ column: 3_001, text: expect.stringMatching(/^…a+needleb+…$/) });
    expect(long?.text.length).toBeLessThan(500);
  });

  test("pages are in one order, whether or not all matches fit", async () => {
    const allMatches = await search({ query: "e", max_results: 500 });
    const seen = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page = (await fixture.call(searchText, alpha({ query: "e", max_results: 7, offset }))) as {
        matches: unknown[];
        next_offset: number | null;
      };
      seen.push(...page.matches);
      offset = page.next_offset;
    }
    expect(seen).toEqual(allMatches.matches);
    expect(seen.length).toBeGreaterThan(100);
  });

  test("refuses a NUL, and a glob of several lines", async () => {
    await expect(search({ query: "a\0" })).rejects.toThrow("NUL character");
    await expect(search({ query: "a", globs: ["x\n"] })).rejects.toThrow("one line");
    await expect(search({ query: "a", globs: ["x\0"] })).rejects.toThrow("one line");
  });

  test("ends the search when the call is cancelled", async () => {
    const abort = new AbortController();
    const searching = fixture.call(searchText, alpha({ query: "needle" }), abort.signal);
    abort.abort(new Error("gone"));
    await expect(searching).rejects.toThrow("gone");
  });
});
