import { expect, test } from "@jest/globals";
import { languageOf } from "../../../server/index/languages.ts";
import { outlineOf } from "../../../server/index/symbols.ts";

/** What precedes the definition of `target`: its first line is marked by "HEAD", so that each case says itself where it begins. */
const CASES: [string, string, string][] = [
  ["decorators", "a.py", "x = 1\n# HEAD\n@app.route('/x')\n@cached\ndef target():\n    pass\n"],
  ["a decorator alone", "a.py", "import a\n\n@HEAD\nclass target:\n    pass\n"],
  ["the first method's decorator", "a.py", "class A:\n    @HEAD\n    def target(self): pass\n"],
  ["a comment above the first method", "a.py", "class A:\n    # HEAD\n    def target(self): pass\n"],
  ["an annotation", "A.java", "class A {\n  int a;\n  @HEAD(1)\n  @Two\n  public void target() {}\n}\n"],
  ["documentation and annotation", "A.java", "/** HEAD\n * more\n */\n@One\nclass target {}\n"],
  ["a type on the line above", "a.c", "int x;\n\nstatic int /* HEAD */\ntarget(int a)\n{\n  return a;\n}\n"],
  ["documentation and a type above", "a.c", "int x;\n/* HEAD */\nstatic int\ntarget(int a) { return a; }\n"],
  [
    "a template",
    "a.cpp",
    "int x;\n/// HEAD\ntemplate <typename T>\n[[nodiscard]]\nT target(T a) { return a; }\n",
  ],
  [
    "a method's template",
    "a.cpp",
    "struct A {\n  int a;\n  template <class T> // HEAD\n  void target(T t) {}\n};\n",
  ],
  ["attributes", "a.rs", "use a;\n/// HEAD\n/// More.\n#[test]\n#[ignore]\nfn target() {}\n"],
  ["an attribute of a field", "a.rs", "struct A {\n  a: u8,\n  #[serde(HEAD)]\n  target: u8,\n}\n"],
  ["a documented method of an impl", "a.rs", "struct A;\nimpl A {\n  /// HEAD\n  pub fn target() {}\n}\n"],
  ["attributes", "a.cs", "class A {\n  int a;\n  /// HEAD\n  [Test]\n  void target() {}\n}\n"],
  ["attributes", "a.php", "<?php\nclass A {\n  public $a;\n  #[HEAD]\n  public function target() {}\n}\n"],
  ["documentation", "a.php", "<?php\n$a = 1;\n/** HEAD */\nfunction target() {}\n"],
  ["a property's documentation", "a.php", "<?php\nclass A {\n  /** HEAD */\n  public $target;\n}\n"],
  ["decorators of a class", "a.ts", "let a;\n/** HEAD */\n@Injectable()\nexport class target {}\n"],
  ["decorators after export", "a.ts", "let a;\n// HEAD\nexport @Injectable()\nclass target {}\n"],
  ["decorators of a method", "a.ts", "class A {\n  a = 1;\n  @HEAD()\n  @Roles('x')\n  target() {}\n}\n"],
  ["decorators of a field", "a.ts", "class A {\n  @HEAD()\n  target = 1;\n}\n"],
  [
    "documentation of a constant",
    "a.js",
    "let a;\n/**\n * HEAD\n */\nexport const target = 1;\n".replace("/**\n * HEAD", "/** HEAD\n *"),
  ],
  ["documentation of a component", "a.tsx", "let a;\n/** HEAD */\nexport const target = () => <b />;\n"],
  ["documentation", "a.go", "package a\n\n// HEAD\n// More.\nfunc target() {}\n"],
  ["documentation of a type", "a.go", "package a\n\n// HEAD\ntype target struct{}\n"],
  ["documentation of a constant", "a.go", "package a\n\n// HEAD\nconst target = 1\n"],
  [
    "documentation of a type in a group",
    "a.go",
    "package a\n\ntype (\n\tA int\n\t// HEAD\n\ttarget int\n)\n",
  ],
  ["a comment", "a.rb", "require 'a'\n# HEAD\n# More.\nclass target_; end\n".replace("target_", "Target")],
  ["a comment above the first method", "a.rb", "class A\n  # HEAD\n  def target; end\nend\n"],
  ["a comment", "a.sh", "a=1\n# HEAD\ntarget() { :; }\n"],
  ["a comment", "a.ps1", "$a = 1\n# HEAD\nfunction target { 1 }\n"],
  ["a comment", "a.css", "a { color: red }\n/* HEAD */\ntarget { color: red }\n"],
  ["a comment", "a.ini", "[a]\nb=1\n; HEAD\n[target]\n"],
];

async function headOf(file: string, text: string): Promise<number | undefined> {
  const language = languageOf(file);
  const outline = language && (await outlineOf(text, language));
  return outline?.symbols.find((s) => s.name.toLowerCase() === "target")?.start_line;
}

test.each(CASES)("the head of a definition includes %s (%s)", async (_, file, text) => {
  const head = text.split("\n").findIndex((line) => line.includes("HEAD")) + 1;
  expect(await headOf(file, text)).toBe(head);
});

test.each([
  ["a.py", "# A licence.\n\ndef target(): pass\n", 3],
  ["a.ts", "const a = 1; // of a\nfunction target() {}\n", 2],
  ["a.ts", "/* of a */ const a = 1;\nfunction target() {}\n", 2],
  ["a.go", "package a\n\n// apart\n\nfunc target() {}\n", 5],
  ["a.c", "enum E { A, // of A\n  target };\n", 2],
  ["a.rs", "struct A { a: u8, // of a\n  target: u8 }\n", 2],
  ["a.java", "class A { @X int a;\n  void target() {} }\n", 2],
])("the head of a definition excludes what belongs to another: %s %j", async (file, text, line) => {
  expect(await headOf(file, text)).toBe(line);
});
