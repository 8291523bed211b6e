import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { findReferences } from "../../../server/tools/find-references.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

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
  "web/parse.ts":
    "export function parseAll(text: string): { faults: string[] } {\n  return { faults: [text] };\n}\nexport interface Sink {\n  put(text: string): void;\n}\nexport class FileSink implements Sink {\n  put() {}\n}\n",
  "web/parsed.ts": `import * as all from "./parse.ts";
const { faults } = all.parseAll("");
const sink: Sink = new FileSink();
sink.put("");
const other = { faults: 1 };
export const load = async () => {
  const { parseAll } = await import("./parse.ts");
  return parseAll("").faults;
};
`,
  "py/paint.py":
    "def paint(wall, colour=None):\n    return colour\n\nif wet:\n    brush = 1\n    paint(brush, colour=brush)\nother(colour=2)\n",
  "ui/format.ts":
    "export function shout(text: string) {\n  return text;\n}\nexport const tally = writable(0);\nexport const hover = () => 0;\n",
  "ui/Card.vue": `<script setup lang="ts">
import { shout } from "./format.ts";
import BigButton from "./BigButton.vue";
const vFocus = {};
</script>
<template>
  <p v-focus :title='shout("x")' @click="shout">{{ shout(name) }} shout</p>
  <big-button />
</template>
`,
  "ui/BigButton.vue": "<template><b /></template>\n",
  "ui/Old.vue":
    '<script>\nexport default { methods: { save() {} } };\n</script>\n<template><p @click="save()" /></template>\n',
  "ui/Row.svelte":
    '<script>\n  import { shout, tally, hover } from "./format.ts";\n</script>\n<p use:hover>{shout($tally)} shout</p>\n',
  "db/schema.sql": "-- users\nCREATE TABLE users (id int);\n",
  "db/query.sql": "SELECT id FROM users; -- users\nSELECT 'users';\n",
  "go/a.go": "package a\n\nfunc Make() {}\n",
  "go/b.go": "package a\n\nfunc other() { Make() }\n",
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
});
afterAll(() => fixture.remove());

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
  [
    "a parameter and the arguments that name it",
    { name: "colour", defined_in: "py/paint.py", line: 1 },
    ["py/paint.py:2", "py/paint.py:6"],
  ],
  ["a name in a block of Python, which is no scope", { name: "brush" }, ["py/paint.py:6", "py/paint.py:6"]],
  [
    "a member of a result's type by what is called",
    { name: "faults", defined_in: "web/parse.ts", line: 1 },
    ["web/parse.ts:2", "web/parsed.ts:2", "web/parsed.ts:5", "web/parsed.ts:8"],
  ],
  ["a method by the interface that it implements", { name: "FileSink.put" }, ["web/parsed.ts:4"]],
  [
    "a function behind its module and from import()",
    { name: "parseAll" },
    ["web/parsed.ts:2", "web/parsed.ts:7", "web/parsed.ts:8"],
  ],
  [
    "a function by the expressions of templates",
    { name: "shout" },
    [
      "ui/Card.vue:2",
      "ui/Card.vue:7",
      "ui/Card.vue:7",
      "ui/Card.vue:7",
      "ui/Row.svelte:2",
      "ui/Row.svelte:4",
    ],
  ],
  ["a store of Svelte", { name: "tally" }, ["ui/Row.svelte:2", "ui/Row.svelte:4"]],
  ["an action of Svelte", { name: "hover" }, ["ui/Row.svelte:2", "ui/Row.svelte:4"]],
  ["a component in kebab case", { name: "BigButton" }, ["ui/Card.vue:3", "ui/Card.vue:8"]],
  ["a directive of Vue", { name: "vFocus", defined_in: "ui/Card.vue" }, ["ui/Card.vue:7"]],
  ["a method of a component", { name: "save" }, ["ui/Old.vue:4"]],
  ["a table without comments and strings", { name: "users" }, ["db/query.sql:1"]],
])("find_references tells %s from its namesakes", async (_, args, expected) => {
  const { references, precision } = await fixture.call(findReferences, args);
  const places = (references as Record<string, unknown>[]).map((r) => `${r.path}:${r.line}`);
  expect([places.toSorted(), precision]).toEqual([expected, "lexical"]);
});

test.each([
  ["an imported name that is defined elsewhere too", "web/other.ts", 2, "LIMIT", "web/gate.ts:4"],
  ["a method by the type of its receiver", "web/use.ts", 9, "close", "web/gate.ts:2"],
  ["a field of a pattern rather than the variable", "web/options.ts", 8, "size", "web/options.ts:5"],
  ["a variable that a pattern declares", "web/options.ts", 7, "area", "web/options.ts:7"],
])("go_to_definition lists %s first", async (_, path, line, symbol, expected) => {
  const { definitions } = await fixture.call(goToDefinition, { path, line, symbol });
  const [first] = definitions as Record<string, unknown>[];
  expect(`${first?.path}:${first?.line}`).toBe(expected);
});
