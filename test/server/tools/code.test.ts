import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findReferences } from "../../../server/tools/find-references.ts";
import { findSymbol } from "../../../server/tools/find-symbol.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { repoMap } from "../../../server/tools/repo-map.ts";
import { searchStructural } from "../../../server/tools/search-structural.ts";
import { symbolsOverview } from "../../../server/tools/symbols-overview.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

const FILES = {
  ".gitignore": "secret.env\n",
  "src/shape.ts": `export interface Shape {
  area(): number;
}
export class Circle implements Shape {
  constructor(readonly radius: number) {}
  area(): number {
    return Math.PI * this.radius ** 2;
  }
}
// Circle in a comment
export function total(shapes: Shape[]): number {
  let sum = 0;
  for (const shape of shapes) sum += shape.area();
  return sum;
}
`,
  "src/main.ts": `import { Circle, total } from "./shape.ts";

const circles = [new Circle(1), new Circle(2)];
console.log("Circle", total(circles));
`,
  "lib/shape.py": `class Circle:
    def area(self):
        return 3


def total(shapes):
    return sum(s.area() for s in shapes)
`,
  "test/shape.test.ts": `import { Circle } from "../src/shape.ts";
await check(new Circle(3));
function check(circle: Circle) {}
`,
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
});
afterAll(() => fixture.remove());

const ask = (tool: Tool, args: Record<string, unknown> = {}) => fixture.call(tool, args);
const rows = (answer: Record<string, unknown>, key: string) => answer[key] as Record<string, unknown>[];
const places = (answer: Record<string, unknown>, key: string) =>
  rows(answer, key).map((r) => `${r.path}:${r.line}`);

describe("find_symbol", () => {
  test("finds an exact name in any case, and lists product code before tests", async () => {
    const found = await ask(findSymbol, { name: "circle" });
    expect(places(found, "symbols")).toEqual(["lib/shape.py:1", "src/shape.ts:4"]);
    expect(found).toMatchObject({ repo: "code", total: 2, truncated: false, index: { state: "current" } });
  });

  test("finds a name path in the spelling of any language", async () => {
    for (const name of ["Circle/area", "Circle.area", "Circle::area", "Circle#area"])
      expect(places(await ask(findSymbol, { name, path: "src" }), "symbols")).toEqual(["src/shape.ts:6"]);
  });

  test("filters by kind, prefix, substring and folder", async () => {
    expect(places(await ask(findSymbol, { name: "area", kinds: ["class"] }), "symbols")).toEqual([]);
    const starts = await ask(findSymbol, { name: "Cir", match: "prefix", path: "src/" });
    expect(places(starts, "symbols")).toEqual(["src/main.ts:3", "src/shape.ts:4"].sort().reverse());
    const holds = await ask(findSymbol, { name: "HAP", match: "substring", kinds: ["interface"] });
    expect(places(holds, "symbols")).toEqual(["src/shape.ts:1"]);
  });

  test("includes the source on request", async () => {
    const [symbol] = rows(
      await ask(findSymbol, { name: "Circle/area", path: "src", include_body: true }),
      "symbols",
    );
    expect(symbol?.body).toBe("  area(): number {\n    return Math.PI * this.radius ** 2;\n  }");
    expect(symbol?.signature).toBe("area(): number");
  });

  test("pages", async () => {
    const first = await ask(findSymbol, { name: "area", max_results: 2 });
    expect(first).toMatchObject({ total: 3, truncated: true, next_offset: 2 });
    expect(rows(await ask(findSymbol, { name: "area", offset: 2 }), "symbols")).toHaveLength(1);
    const short = await ask(findSymbol, { name: "area", max_answer_chars: 1 });
    expect(rows(short, "symbols")).toHaveLength(1);
    expect(short.next_offset).toBe(1);
  });
});

describe("symbols_overview", () => {
  test("lists the symbols of a file with kind, lines and head", async () => {
    const { files } = await ask(symbolsOverview, { path: "src/shape.ts" });
    expect(files).toEqual([
      {
        path: "src/shape.ts",
        symbols: [
          {
            name_path: "Shape",
            kind: "interface",
            line: 1,
            end_line: 3,
            signature: "export interface Shape",
          },
          { name_path: "Shape/area", kind: "method", line: 2, end_line: 2, signature: "area(): number" },
          {
            name_path: "Circle",
            kind: "class",
            line: 4,
            end_line: 9,
            signature: "export class Circle implements Shape",
          },
          {
            name_path: "Circle/constructor",
            kind: "method",
            line: 5,
            end_line: 5,
            signature: "constructor(readonly radius: number)",
          },
          { name_path: "Circle/area", kind: "method", line: 6, end_line: 8, signature: "area(): number" },
          {
            name_path: "total",
            kind: "function",
            line: 11,
            end_line: 15,
            signature: "export function total(shapes: Shape[]): number",
          },
        ],
      },
    ]);
  });

  test("limits the depth and returns pages", async () => {
    const top = rows(await ask(symbolsOverview, { path: "src/shape.ts", depth: 1 }), "files");
    expect(top[0]?.symbols).toEqual(
      ["Shape", "Circle", "total"].map((name_path) => expect.objectContaining({ name_path })),
    );
    const seen: unknown[] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page = await ask(symbolsOverview, { offset, max_results: 4 });
      seen.push(...rows(page, "files").flatMap((f) => f.symbols as unknown[]));
      offset = page.next_offset as number | null;
    }
    expect(seen).toHaveLength((await ask(symbolsOverview)).total as number);
  });
});

describe("find_references", () => {
  test("finds uses outside of comments and strings, with role and enclosing symbol, tests last", async () => {
    const found = await ask(findReferences, { name: "Circle", defined_in: "src/shape.ts" });
    expect(
      rows(found, "references").map((r) => [`${r.path}:${r.line}:${r.column}`, r.role, r.within]),
    ).toEqual([
      ["src/main.ts:1:10", "import", ""],
      ["src/main.ts:3:22", "call", "circles"],
      ["src/main.ts:3:37", "call", "circles"],
      ["test/shape.test.ts:1:10", "import", ""],
      ["test/shape.test.ts:2:17", "call", ""],
      ["test/shape.test.ts:3:24", "type", "check"],
    ]);
    expect(found).toMatchObject({ total: 6, partial: false, truncated: false });
  });

  test("includes definitions on request, and searches in a folder", async () => {
    const found = await ask(findReferences, { name: "total", include_definitions: true, path: "lib" });
    expect(rows(found, "references").map((r) => [`${r.path}:${r.line}`, r.role])).toEqual([
      ["lib/shape.py:6", "definition"],
    ]);
    await expect(ask(findReferences, { name: "a b" })).rejects.toThrow(
      "is not an identifier. Use search_text",
    );
  });
});

describe("go_to_definition", () => {
  const go = async (path: string, line: number, at: { column?: number; symbol?: string }) =>
    rows(await ask(goToDefinition, { path, line, ...at }), "definitions").map(
      (d) => `${d.path}:${d.line} ${d.why}`,
    );

  test("lists the definition in the imported file first", async () => {
    expect((await go("src/main.ts", 3, { symbol: "Circle" }))[0]).toBe("src/shape.ts:4 imported from");
    expect((await go("src/main.ts", 4, { column: 23 }))[0]).toBe("src/shape.ts:11 imported from");
  });

  test("lists the definition in the enclosing scope first, for a parameter and a loop variable", async () => {
    expect((await go("src/shape.ts", 13, { symbol: "shapes" }))[0]).toBe("src/shape.ts:11 local scope");
    expect((await go("src/shape.ts", 14, { symbol: "sum" }))[0]).toBe("src/shape.ts:12 local scope");
    expect((await go("lib/shape.py", 7, { symbol: "shapes" }))[0]).toBe("lib/shape.py:6 local scope");
  });

  test("finds the methods with the name of a member", async () => {
    expect(await go("lib/shape.py", 7, { symbol: "area" })).toContain("lib/shape.py:2 same file");
  });

  test("refuses a position without a name", async () => {
    await expect(go("src/main.ts", 2, {})).rejects.toThrow("no such name on line 2");
    await expect(go("src/main.ts", 999, { column: 1 })).rejects.toThrow("no such name on line 999");
    await expect(go("secret.env", 1, {})).rejects.toThrow("is ignored by git");
  });
});

describe("search_structural", () => {
  const structural = (pattern: string, language: string, more = {}) =>
    ask(searchStructural, { pattern, language, ...more });

  test("finds code of a shape, with the values of the metavariables", async () => {
    const found = await structural("new $C($A)", "typescript");
    expect(
      rows(found, "matches").map((m) => [`${m.path}:${m.line}:${m.column}`, m.text, m.captures]),
    ).toEqual([
      ["src/main.ts:3:18", "new Circle(1)", { C: "Circle", A: "1" }],
      ["src/main.ts:3:33", "new Circle(2)", { C: "Circle", A: "2" }],
      ["test/shape.test.ts:2:13", "new Circle(3)", { C: "Circle", A: "3" }],
    ]);
  });

  test("searches inside of other code, in Python and in a folder, and returns pages", async () => {
    expect(places(await structural("new $C($A)", "typescript", { inside: "await $X" }), "matches")).toEqual([
      "test/shape.test.ts:2",
    ]);
    expect(places(await structural("$S.area()", "python"), "matches")).toEqual(["lib/shape.py:7"]);
    expect(places(await structural("new $C($A)", "typescript", { path: "test" }), "matches")).toHaveLength(1);
    expect(await structural("new $C($A)", "typescript", { max_results: 2 })).toMatchObject({
      truncated: true,
      next_offset: 2,
    });
    expect(places(await structural("new $C($A)", "typescript", { offset: 2 }), "matches")).toHaveLength(1);
  });

  test("refuses an invalid pattern", async () => {
    await expect(structural("a; b", "typescript")).rejects.toThrow("The pattern was refused: ");
    expect(await structural("function (", "typescript")).toMatchObject({
      matches: [],
      note: expect.stringMatching(/is not complete typescript/),
    });
    expect((await structural("class $C { $$$ }", "typescript")).note).not.toMatch(/is not complete/);
    await expect(ask(searchStructural, { pattern: "x", language: "cobol" })).rejects.toThrow();
  });
});

describe("repo_map", () => {
  test("lists the most referenced symbols within the budget", async () => {
    const { map, symbols, of } = await ask(repoMap);
    expect(map).toMatch(
      /src\/shape\.ts:\n(.*\n)*? {2}4: export class Circle implements Shape {2}\(\d files\)/,
    );
    expect(symbols).toBe(of);
    const small = await ask(repoMap, { max_tokens: 100 });
    expect((small.map as string).length).toBeLessThanOrEqual(300);
    expect(small.symbols as number).toBeLessThan(of as number);
  });

  test("puts a name of several words before a private member and a word of comments, however often these occur", async () => {
    const talk = (n: number) => [`src/talk${n}.ts`, "// more or less, store and trim\nparseSettings();\n"];
    const names = await makeCodeFixture({
      "a.ts": "export const more = 1;\nclass Kept {\n  #store() {}\n}\nexport const other = 1;\n",
      "b.ts": "export function parseSettings() {}\n",
      ...Object.fromEntries([0, 1, 2, 3].map(talk)),
      "c.ts": "// more stores: store\n",
    });
    try {
      const { map } = await names.call(repoMap, {});
      expect(String(map).match(/\w+(?=\(\)| =)/g)).toEqual(["parseSettings", "more", "store", "other"]);
    } finally {
      await names.remove();
    }
  });
});
