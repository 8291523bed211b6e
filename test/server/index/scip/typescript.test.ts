import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { memoryBudget } from "../../../../server/index/scip/memory-budget.ts";
import { findReferences } from "../../../../server/tools/find-references.ts";
import { goToDefinition } from "../../../../server/tools/go-to-definition.ts";
import { type Fixture, makeCodeFixture } from "../../tools/support.ts";

/** Two projects and a file in neither, with two classes that have a method of the same name. */
const FILES = {
  "tsconfig.json": '{ "include": ["src"] }',
  "src/a.ts": "export class A {\n  run() {}\n}\n",
  "src/b.ts": "export class B {\n  run() {}\n}\n",
  "src/use.ts": 'import { A } from "./a.js";\nimport { B } from "./b.js";\nnew A().run();\nnew B().run();\n',
  "web/jsconfig.json": "{}",
  "web/view.js": 'import { A } from "../src/a.js";\nnew A().run();\n',
  "alone.mjs": "export function alone() {}\nalone();\n",
};

let fixture: Fixture;
let root: string;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
  root = join(fixture.path, "code");
  await fixture.index.refreshPrecise();
});
afterAll(() => fixture.remove());

async function commit(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const git = ["-c", "user.name=T", "-c", "user.email=t@example.test", "-C", root];
  await execa("git", [...git, "add", "--all"]);
  await execa("git", [...git, "commit", "--quiet", "--message=more"]);
  await fixture.index.refresh();
}

async function usesOf(name: string) {
  const { references, precision } = await fixture.call(findReferences, { name });
  const rows = references as Record<string, unknown>[];
  return { places: rows.map((r) => `${r.path}:${r.line}`).toSorted(), precision };
}

describe("the server's own index of TypeScript and JavaScript", () => {
  test("covers projects and files outside of them", async () => {
    expect(await usesOf("A.run")).toEqual({
      places: ["src/use.ts:3", "web/view.js:2"],
      precision: "precise",
    });
    expect(await usesOf("alone")).toEqual({ places: ["alone.mjs:2"], precision: "precise" });
    const found = await fixture.call(goToDefinition, { path: "src/use.ts", line: 4, symbol: "run" });
    expect(found).toMatchObject({ precision: "precise", definitions: [{ path: "src/b.ts", line: 2 }] });
  });

  test("follows a commit by the changed files and those that import them", async () => {
    await commit({
      "src/a.ts": "/** moved */\n\nexport class A {\n  run() {}\n}\n",
      "src/new.ts": FILES["src/use.ts"],
    });
    expect((await usesOf("A.run")).precision).toBe("mixed");
    await fixture.index.refreshPrecise();
    const places = ["src/new.ts:3", "src/use.ts:3", "web/view.js:2"];
    expect(await usesOf("A.run")).toEqual({ places, precision: "precise" });
    await rename(join(root, "src/b.ts"), join(root, "src/c.ts"));
    await commit({});
    await fixture.index.refreshPrecise();
    expect((await usesOf("B")).precision).toBe("precise");
    const found = await fixture.call(goToDefinition, { path: "src/new.ts", line: 3, symbol: "run" });
    expect(found.definitions).toMatchObject([{ path: "src/a.ts", line: 4 }]);
  });
});

test("the compiler has two fifths of the memory limit, and no more than what is free", () => {
  const mib = 1024 * 1024;
  expect(memoryBudget(1_000 * mib, 900 * mib)).toBe(400);
  expect(memoryBudget(1_000 * mib, 300 * mib)).toBe(236);
  expect(memoryBudget(100 * mib, 10 * mib)).toBe(0);
  expect(memoryBudget(Number.POSITIVE_INFINITY, 100_000 * mib)).toBe(4_096);
});
