import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { scipPython } from "../../../../bench/packages.ts";
import { pythonIndexer } from "../../../../server/index/scip/python/indexer.ts";
import { findReferences } from "../../../../server/tools/find-references.ts";
import { goToDefinition } from "../../../../server/tools/go-to-definition.ts";
import { type Fixture, makeCodeFixture } from "../../tools/support.ts";

const FILES = {
  "shop/__init__.py": "from .cart import Cart\n",
  "shop/cart.py": "class Cart:\n    def total(self) -> int:\n        return 1\n",
  "shop/tax.py": "class Tax:\n    def total(self) -> int:\n        return 2\n",
  // Columns after characters outside of the basic plane.
  "main.py": 'from shop import Cart\n\ncart = Cart()\nprint("\u{1f600}\u{1f600}"); cart.total()\n',
};

let program: string;
let fixture: Fixture;
beforeAll(async () => {
  program = await scipPython();
  fixture = await makeCodeFixture(FILES, { python: program });
  await fixture.index.refreshPrecise();
}, 180_000);
afterAll(() => fixture?.remove());

describe("the server's own index of Python", () => {
  test("tells methods of the same name apart", async () => {
    const { references, precision } = await fixture.call(findReferences, { name: "Cart.total" });
    const places = (references as { path: string; line: number; column: number }[]).map(
      ({ path, line, column }) => `${path}:${line}:${column}`,
    );
    expect({ places, precision }).toEqual({ places: ["main.py:4:21"], precision: "precise" });
    const found = await fixture.call(goToDefinition, { path: "main.py", line: 4, symbol: "total" });
    expect(found.definitions).toMatchObject([{ path: "shop/cart.py", line: 2 }]);
  });

  test("is made without network, child processes and files outside of its folder", async () => {
    const work = await mkdtemp(join(tmpdir(), "mcp-edge-confined-"));
    try {
      const root = join(work, "root");
      const output = join(work, "own/index.scip");
      const run = { root, name: "x", files: [], changed: undefined, output, work: join(work, "own") };
      await execa("mkdir", [run.work, root]);
      const args = await pythonIndexer(program).prepare(run);
      const script = join(run.work, "try.cjs");
      await writeFile(script, PROBE);
      const options = args.slice(0, args.indexOf(program));
      const { stdout } = await execa(process.execPath, [...options, script, join(work, "outside.txt")]);
      expect(JSON.parse(stdout)).toEqual([
        "ERR_ACCESS_DENIED",
        "ERR_ACCESS_DENIED",
        "ERR_ACCESS_DENIED",
        "no network",
      ]);
      expect(await readdir(work)).not.toContain("outside.txt");
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
});

/** What the indexer must not do. */
const PROBE = `
const tries = [
  () => require("node:fs").writeFileSync(process.argv[2], "x"),
  () => require("node:fs").readFileSync("/etc/passwd"),
  () => require("node:child_process").execFileSync("true"),
  () => require("node:net").connect(1),
];
console.log(JSON.stringify(tries.map((attempt) => {
  try { attempt(); return "allowed"; } catch (error) { return error.code ?? error.message; }
})));
`;
