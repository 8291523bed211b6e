import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { findReferences } from "../../../server/tools/find-references.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { type Lab, makeCodeLab } from "./support.ts";

/** The same names in several files, in languages with and without explicit imports. */
const FILES = {
  "web/queue.ts": "export class Queue {\n  close() {}\n  size = 0;\n}\nexport const LIMIT = 1;\nLIMIT;\n",
  "web/gate.ts": "export class Gate {\n  close() {}\n}\nexport const LIMIT = 2;\n",
  "web/use.ts": `import {
  LIMIT,
  Queue,
} from "./queue.ts";
import { Gate } from "./gate.ts";
const queue = new Queue();
const first: Gate = new Gate();
queue.close();
first.close();
function shadow(LIMIT: number) { return LIMIT; }
const options = { LIMIT: LIMIT };
`,
  "web/options.ts":
    "export interface Options {\n  size: number;\n}\nexport interface Box {\n  size: number;\n}\nexport const area = ({ size }: Options) => size;\nexport const volume = ({ size }: Box) => size;\n",
  "web/other.ts": 'import { LIMIT } from "./gate.ts";\nLIMIT;\n',
  "web/stranger.ts": "const LIMIT = 3;\nLIMIT;\nsocket.close();\nArray.from([]);\n",
  "web/range.ts":
    'import { LIMIT } from "./gate.ts";\nexport interface Range {\n  from: number;\n}\nexport const start = (range: Range) => range.from;\n',
  "py/store.py": "def load(path):\n    return path\n",
  "py/main.py": "import store\nfrom store import load\nload(1)\nstore.load(2)\njson.load(3)\n",
  "go/a.go": "package a\n\nfunc Make() {}\n",
  "go/b.go": "package a\n\nfunc other() { Make() }\n",
};

let lab: Lab;
beforeAll(async () => {
  lab = await makeCodeLab(FILES);
});
afterAll(() => lab.remove());

test.each([
  [
    "a constant by its imports, without shadows and keys",
    { name: "LIMIT", defined_in: "web/queue.ts" },
    ["web/queue.ts:6", "web/use.ts:11", "web/use.ts:2"],
  ],
  [
    "another constant of that name",
    { name: "LIMIT", defined_in: "web/gate.ts" },
    ["web/other.ts:1", "web/other.ts:2", "web/range.ts:1"],
  ],
  ["a field by its type, without keywords of that spelling", { name: "Range.from" }, ["web/range.ts:5"]],
  ["a field by the type of the pattern", { name: "Options.size" }, ["web/options.ts:7"]],
  ["a method by the type of its receiver", { name: "Queue.close" }, ["web/use.ts:8"]],
  ["another method of that name", { name: "Gate.close" }, ["web/use.ts:9"]],
  [
    "a function of Python behind its module",
    { name: "store.load" },
    ["py/main.py:2", "py/main.py:3", "py/main.py:4"],
  ],
  ["a function of a Go package", { name: "Make" }, ["go/b.go:3"]],
  [
    "a parameter in its function",
    { name: "shadow.LIMIT", defined_in: "web/use.ts" },
    ["web/use.ts:10", "web/use.ts:10"],
  ],
])("find_references tells %s from its namesakes", async (_, args, expected) => {
  const { references, precision } = await lab.call(findReferences, args);
  const places = (references as Record<string, unknown>[]).map((r) => `${r.path}:${r.line}`);
  expect([places.toSorted(), precision]).toEqual([expected, "lexical"]);
});

test.each([
  ["an imported name that is defined elsewhere too", "web/other.ts", 2, "LIMIT", "web/gate.ts:4"],
  ["a method by the type of its receiver", "web/use.ts", 9, "close", "web/gate.ts:2"],
  ["a field of a pattern rather than the variable", "web/options.ts", 8, "size", "web/options.ts:5"],
  ["a variable that a pattern declares", "web/options.ts", 7, "area", "web/options.ts:7"],
])("go_to_definition lists %s first", async (_, path, line, symbol, expected) => {
  const { definitions } = await lab.call(goToDefinition, { path, line, symbol });
  const [first] = definitions as Record<string, unknown>[];
  expect(`${first?.path}:${first?.line}`).toBe(expected);
});
