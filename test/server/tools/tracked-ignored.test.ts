import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { merged } from "../../../server/tools/search-text/ripgrep-json.ts";
import { searchText } from "../../../server/tools/search-text.ts";
import { makeRepository } from "../support.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

/** Tracked by force although a rule names them. */
const TRACKED = [
  ".env.example",
  "dist/x.js",
  "dist/deep/y.js",
  "vendor/lib [1]/a*b.c",
  "sub/gen/!odd #1.txt",
  "sub/gen/ space .txt",
  "build/out.log",
];
/** Ignored and not tracked: never shown. */
const SECRET = [
  ".env",
  "dist/secret.js",
  "dist/deep/secret.js",
  "sub/gen/secret.txt",
  "node_modules/m/index.js",
];
const PLAIN = ["src/a.js", "z.txt"];

let fixture: Fixture;
let root: string;
const write = async (path: string, text = `needle of ${path}\n`) => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
const git = (...args: string[]) => promisify(execFile)("git", ["-C", root, ...args]);
beforeAll(async () => {
  fixture = await makeCodeFixture({
    ".gitignore": ".env*\ndist/\nvendor/\n*.log\nnode_modules/\nsecret.env\n",
    "sub/.gitignore": "gen/\n",
    ...Object.fromEntries(PLAIN.map((path) => [path, `needle of ${path}\n`])),
  });
  root = join(fixture.path, "code");
  for (const path of [...TRACKED, ...SECRET]) await write(path);
  await git("add", "--force", "--", ...TRACKED.map((path) => `:(literal)${path}`));
  // A listing is cached for two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
});
afterAll(() => fixture.remove());

const find = async (more: Record<string, unknown> = {}) => {
  const found = await fixture.call(searchText, { query: "needle", ...more });
  return (found.matches as { path: string }[]).map((match) => match.path);
};

describe("search_text in tracked files that are ignored", () => {
  test("finds each of them once, with the other files, and no untracked ignored file", async () => {
    expect((await find()).toSorted()).toEqual([...TRACKED, ...PLAIN].toSorted());
  });

  test.each([
    [{ path: "dist" }, ["dist/deep/y.js", "dist/x.js"]],
    [{ path: "dist/x.js" }, ["dist/x.js"]],
    [{ path: "src" }, ["src/a.js"]],
    [{ globs: ["*.js"] }, ["dist/deep/y.js", "dist/x.js", "src/a.js"]],
    [{ globs: ["dist/**"] }, ["dist/deep/y.js", "dist/x.js"]],
    [
      { globs: ["!dist/**", "!vendor/**", "!sub/**"] },
      [".env.example", "build/out.log", "src/a.js", "z.txt"],
    ],
    [{ globs: ["*.js"], path: "dist/deep" }, ["dist/deep/y.js"]],
    [{ globs: ["*.log"] }, ["build/out.log"]],
    [{ globs: [".env*"] }, [".env.example"]],
    [{ globs: ["**"] }, [...TRACKED, ...PLAIN].toSorted()],
  ])("%j", async (args, expected) => {
    expect((await find(args)).toSorted()).toEqual(expected);
  });

  test("pages go through all of them in one order", async () => {
    const seen: string[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page: Record<string, unknown> = await fixture.call(searchText, {
        query: "needle",
        offset,
        max_results: 2,
      });
      seen.push(...(page.matches as { path: string }[]).map((match) => match.path));
      offset = page.next_offset as number | null;
    }
    expect(seen).toEqual(await find());
    expect(new Set(seen).size).toBe(TRACKED.length + PLAIN.length);
  });

  test("leaves no temporary file, even when the search is refused", async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = await mkdtemp(join(fixture.path, ".tmp-"));
    try {
      await find();
      await expect(find({ query: "(", regex: true })).rejects.toThrow("The search was refused");
      const left = (await readdir(process.env.TMPDIR)).filter((name) => name.startsWith("mcp-edge-search-"));
      expect(left).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });

  test("finds them if there are more than can be listed one by one", async () => {
    const many = join(fixture.path, "many");
    await makeRepository(many, { ".gitignore": "gen/\nsecret.env\n" });
    await mkdir(join(many, "gen"));
    for (let n = 0; n < 1_100; n++)
      await writeFile(join(many, "gen", `${n}.txt`), n % 100 ? "x\n" : "needle\n");
    await promisify(execFile)("git", ["-C", many, "add", "--force", "gen"]);
    await writeFile(join(many, "gen", "secret.txt"), "needle\n");
    expect(await find({ repo: "many" })).toHaveLength(11);
    expect(await find({ repo: "many", globs: ["gen/1*.txt"] })).toHaveLength(2);
  });
});

describe("merged", () => {
  const at = (path: string, line = 1) => ({ path, line, column: 1, text: "", before: [], after: [] });
  const paths = (parts: Parameters<typeof merged>[0], max: number) => {
    const { matches, truncated } = merged(parts, max);
    return [matches.map((m) => m.path).join(""), truncated];
  };

  test("cuts where a run that was cut ends, and at the limit", () => {
    const complete = { matches: [at("b"), at("d")], truncated: false };
    expect(paths([{ matches: [at("c"), at("a")], truncated: false }, complete], 9)).toEqual(["abcd", false]);
    expect(paths([{ matches: [at("a"), at("c")], truncated: true }, complete], 9)).toEqual(["abc", true]);
    expect(paths([{ matches: [at("a"), at("c")], truncated: false }, complete], 3)).toEqual(["abc", true]);
    expect(paths([{ matches: [], truncated: true }, complete], 9)).toEqual(["", true]);
  });
});
