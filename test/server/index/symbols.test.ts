import { describe, expect, test } from "@jest/globals";
import { GRAMMARS, languageOf } from "../../../server/index/languages.ts";
import { occurrencesOf } from "../../../server/index/occurrences.ts";
import { outlineOf } from "../../../server/index/symbols.ts";

/** `kind path` of each definition of a text, in order. */
async function read(file: string, text: string): Promise<string[]> {
  const language = languageOf(file);
  if (!language) throw new Error(`no language for ${file}`);
  const outline = await outlineOf(text, language);
  return (outline?.symbols ?? []).map((s) => `${s.kind} ${[s.parent, s.name].filter(Boolean).join("/")}`);
}

const SOURCES: [string, string, string[]][] = [
  [
    "a.ts",
    `export interface Shape { area(): number; size: number }
export enum Colour { Red }
export type Id = string;
export abstract class Base<T> { protected id = 1; abstract draw(): void; static make(): void {} }
export const LIMIT = 10;
export const arrow = (x: number) => x;
export default function main() { const inner = 1; function deep() {} }
namespace Space { export function within() {} }`,
    [
      "interface Shape",
      "method Shape/area",
      "field Shape/size",
      "enum Colour",
      "type Id",
      "class Base",
      "field Base/id",
      "method Base/draw",
      "method Base/make",
      "constant LIMIT",
      "function arrow",
      "function main",
      "function main/deep",
      "module Space",
      "function Space/within",
    ],
  ],
  ["a.tsx", "export function View() { return <b>x</b>; }\n", ["function View"]],
  [
    "a.js",
    "class A { x = 1; run() {} }\nvar old = 1;\nconst f = function () {};\n",
    ["class A", "field A/x", "method A/run", "variable old", "function f"],
  ],
  [
    "a.py",
    "LIMIT = 1\nclass A:\n    size = 2\n    @property\n    def run(self):\n        pass\nasync def go(): pass\n",
    ["variable LIMIT", "class A", "field A/size", "method A/run", "function go"],
  ],
  [
    "a.go",
    "package a\nconst Max = 1\nvar (\n\tx = 1\n)\ntype T struct { Name string }\ntype I interface { Do() }\nfunc (t *T) Run() {}\nfunc main() {}\n",
    [
      "constant Max",
      "variable x",
      "struct T",
      "field T/Name",
      "interface I",
      "method I/Do",
      "method T/Run",
      "function main",
    ],
  ],
  [
    "a.rs",
    "mod m { pub fn f() {} }\nstruct S { a: u8 }\nenum E { One }\ntrait T { fn t(&self); }\nimpl T for S { fn t(&self) {} }\nmacro_rules! mac { () => {} }\nconst C: u8 = 1;\n",
    [
      "module m",
      "function m/f",
      "struct S",
      "field S/a",
      "enum E",
      "constant E/One",
      "trait T",
      "method T/t",
      "method S/t",
      "macro mac",
      "constant C",
    ],
  ],
  [
    "A.java",
    "class A { int x; A() {} void run() {} enum E { ONE } }\ninterface I { void i(); }\nrecord R(int a) {}\n",
    [
      "class A",
      "field A/x",
      "method A/A",
      "method A/run",
      "enum A/E",
      "constant A/E/ONE",
      "interface I",
      "method I/i",
      "class R",
    ],
  ],
  [
    "a.cs",
    "namespace N { class A { int x; public int P { get; set; } void Run() {} } struct S {} interface I {} enum E { One } }\n",
    [
      "module N",
      "class N/A",
      "field N/A/x",
      "field N/A/P",
      "method N/A/Run",
      "struct N/S",
      "interface N/I",
      "enum N/E",
      "constant N/E/One",
    ],
  ],
  [
    "a.cpp",
    "#define MAX 1\nnamespace n { class A { int x; void run(); }; }\nvoid n::A::run() { int y(); }\nstatic int *make(void) { return 0; }\n",
    [
      "macro MAX",
      "module n",
      "class n/A",
      "field n/A/x",
      "method n/A/run",
      "method n/A/run",
      "function make",
    ],
  ],
  [
    "a.c",
    "struct node { int v; };\ntypedef struct node node_t;\nint main(void) { return 0; }\n",
    ["struct node", "field node/v", "type node_t", "function main"],
  ],
  [
    "a.rb",
    "module M\n  LIMIT = 1\n  class A\n    def run; end\n    def self.make; end\n  end\nend\n",
    ["module M", "constant M/LIMIT", "class M/A", "method M/A/run", "method M/A/make"],
  ],
  [
    "a.php",
    "<?php\nnamespace N;\nclass A { const C = 1; private $x; function run() {} }\nfunction go() {}\ntrait T {}\n",
    ["module N", "class A", "constant A/C", "field A/x", "method A/run", "function go", "trait T"],
  ],
  ["a.sh", "NAME=x\nrun() { local inner=1; }\n", ["variable NAME", "function run"]],
  [
    "a.ps1",
    "function Get-It { }\nclass A { [void] Run() { } }\n",
    ["function Get-It", "class A", "method A/Run"],
  ],
  ["a.css", ".box > a { color: red }\n", ["rule .box > a"]],
  [
    "a.kt",
    "package a.b\nclass A { val x = 1\n fun run() {} }\nobject O\nenum class E { X }\nfun go() {}\nval top = 1\ntypealias T = A\n",
    [
      "class A",
      "field A/x",
      "method A/run",
      "class O",
      "class E",
      "constant E/X",
      "function go",
      "variable top",
      "type T",
    ],
  ],
  [
    "a.swift",
    "class A { var x = 1\n func run() {} }\nprotocol P { func p() }\nenum E { case a }\nfunc go() {}\nlet top = 1\nextension A { func more() {} }\n",
    [
      "class A",
      "field A/x",
      "method A/run",
      "interface P",
      "method P/p",
      "class E",
      "constant E/a",
      "function go",
      "variable top",
      "method A/more",
    ],
  ],
  [
    "a.scala",
    "class A { val x = 1; def run() = 1 }\nobject O\ntrait T\ndef go() = 1\ntype U = A\n",
    ["class A", "field A/x", "method A/run", "class O", "trait T", "function go", "type U"],
  ],
  [
    "a.dart",
    "class A { int x = 1; void run() {} }\nenum E { a }\nvoid go() {}\nmixin M {}\n",
    ["class A", "field A/x", "method A/run", "enum E", "constant E/a", "function go", "class M"],
  ],
  [
    "a.lua",
    "function go() end\nfunction M.run() end\nfunction M:more() end\nX = 1\n",
    ["function go", "method M/run", "method M/more", "variable X"],
  ],
  [
    "a.tf",
    'resource "aws_vpc" "main" {\n  cidr = 1\n}\nlocals {\n a = 1\n}\n',
    ["rule main", "field main/cidr", "module locals", "field locals/a"],
  ],
  ["a.toml", "name = 1\n[tool.x]\nkey = 2\n", ["field name", "module tool.x", "field tool.x/key"]],
  ["a.yaml", "jobs:\n  build:\n    steps: 1\nname: y\n", ["module jobs", "field jobs/build", "module name"]],
  ["a.ini", "[section]\nkey = 1\n", ["module section"]],
];

describe("outlineOf", () => {
  test.each(SOURCES)("%s", async (file, text, expected) => {
    expect(await read(file, text)).toEqual(expected);
  });

  test("has a case for every grammar except that of regular expressions", () => {
    const tried = new Set(SOURCES.map(([file]) => `tree-sitter-${languageOf(file)?.grammar}.wasm`));
    expect(GRAMMARS.filter((grammar) => !tried.has(grammar))).toEqual(["tree-sitter-regex.wasm"]);
    expect(GRAMMARS).toHaveLength(24);
  });

  test("gives the position, the extent and the head of a definition", async () => {
    const text =
      "// first\n@Deco()\nexport class A extends B {\n  run(\n    x: number,\n  ): void {\n  }\n}\n";
    const language = languageOf("a.ts");
    const symbols = language && (await outlineOf(text, language))?.symbols;
    expect(symbols?.[0]).toMatchObject({ name: "A", line: 3, column: 14, end_line: 8 });
    expect(symbols?.[1]).toMatchObject({ line: 4, end_line: 7, signature: "run( x: number, ): void" });
  });

  test("returns the symbols that it finds in broken, empty and very deep texts", async () => {
    expect(await read("a.ts", "")).toEqual([]);
    expect(await read("a.ts", "function ok() {}\nclass {{{ ((\n")).toContain("function ok");
    expect(Array.isArray(await read("a.ts", `${"(".repeat(50_000)}`))).toBe(true);
    expect(await read("a.ts", "function after() {}")).toEqual(["function after"]);
  });
});

describe("occurrencesOf", () => {
  test("excludes comments, strings and parts of words, and gives the role of each use", async () => {
    const text = `import { run } from "./run";
// run in a comment
const text = "run in a string";
run();
const other: run = rerun(run);
`;
    const found = await occurrencesOf(text, languageOf("a.ts"), "run");
    expect(found.map((o) => [o.line, o.column, o.role])).toEqual([
      [1, 10, "import"],
      [4, 1, "call"],
      [5, 14, "type"],
      [5, 26, "use"],
    ]);
  });

  test("includes every whole word without a grammar", async () => {
    const found = await occurrencesOf("run, rerun; # run\n", languageOf("notes.txt"), "run");
    expect(found.map((o) => [o.column, o.role])).toEqual([
      [1, "text"],
      [15, "text"],
    ]);
  });
});
