import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../infra/exec.ts";
import { projectRoot } from "../infra/paths.ts";
import { type Imports, importsOf } from "./support/imports.ts";

/** `npm ci --omit=dev` must leave a working command line: what runs imports dependencies only. */
const RUNNING = ["cli", "infra", "server", "cloud-init", "index.ts"];

const manifest = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
const dependencies = Object.keys(manifest.dependencies);
const all = new Set([...dependencies, ...Object.keys(manifest.devDependencies)]);
let sources: string[] = [];
let imports: Map<string, Imports>;

beforeAll(async () => {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...RUNNING];
  const { stdout } = await run("git", ["-c", "safe.directory=*", "-C", projectRoot, ...list]);
  sources = stdout.split("\0").filter((file) => /\.(ts|js|mjs)$/.test(file));
  imports = await importsOf(sources);
});

test("what is imported at run time is a dependency", () => {
  expect(sources.length).toBeGreaterThan(100);
  const wrong = [...imports].flatMap(([file, { runtime }]) =>
    [...runtime].filter((name) => !dependencies.includes(name)).map((name) => `${file} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("what is imported for its types alone is in package.json as well", () => {
  const wrong = [...imports].flatMap(([file, { any }]) =>
    [...any].filter((name) => !all.has(name)).map((name) => `${file} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("each dependency is named by what runs", () => {
  const texts = sources.map((file) => readFileSync(join(projectRoot, file), "utf8")).join("\n");
  expect(dependencies.filter((name) => !texts.includes(name))).toEqual([]);
});

describe("the reader of imports", () => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-imports-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['import a from "one";\na();', ["one"], ["one"]],
    ['import "one/side-effect.js";', ["one"], ["one"]],
    ['import { b } from "@scope/two/deep/b.js";\nb();', ["@scope/two"], ["@scope/two"]],
    ['export { c } from "three";\nexport * from "four";', ["four", "three"], ["four", "three"]],
    ['const d = await import("five");\nd;', ["five"], ["five"]],
    [
      'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\nrequire.resolve("six/package.json");',
      ["six"],
      ["six"],
    ],
    ['import type { E } from "seven";\nexport const e: E = 1;', [], ["seven"]],
    ['import { type F } from "eight";\nexport const f: F = 1;', ["eight"], ["eight"]],
    ['import fs from "node:fs";\nimport path from "path";\nimport x from "./x.ts";\nfs; path; x;', [], []],
  ])("%j", async (text, runtime, any) => {
    const file = join(folder, `${Math.random().toString(36).slice(2)}.ts`);
    writeFileSync(file, text);
    const found = (await importsOf([file])).get(file);
    expect([...(found?.runtime ?? [])].sort()).toEqual(runtime);
    expect([...(found?.any ?? [])].sort()).toEqual(any);
  });
});
