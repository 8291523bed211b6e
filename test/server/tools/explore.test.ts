import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { answerText } from "../../../server/tools/answers/text.ts";
import { callHierarchy } from "../../../server/tools/call-hierarchy.ts";
import { explore } from "../../../server/tools/explore.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

const FILES = {
  "src/store.ts": `/** Keeps sessions until they expire. */
export class Store {
  #entries = new Map<string, number>();
  /** Removes the sessions that nobody used. */
  evict(now: number): number {
    return prune(this.#entries, now);
  }
  save(id: string): void {
    this.#entries.set(id, 1);
  }
}
function prune(entries: Map<string, number>, now: number): number {
  for (const [id, at] of entries) if (at < now) entries.delete(id);
  return entries.size;
}
`,
  "src/clock.ts": `import { Store } from "./store.ts";
export function tick(store: Store): void {
  store.evict(Date.now());
  store.evict(0);
}
export function start(store: Store): void {
  setInterval(() => tick(store), 1000);
}
`,
  "src/main.ts": `import { start as begin } from "./clock.ts";
import { Store } from "./store.ts";
begin(new Store());
`,
  "src/loop.ts":
    "export function ping(n: number): void {\n  pong(n);\n}\nexport function pong(n: number): void {\n  ping(n);\n}\n",
  "test/store.test.ts": `import { Store } from "../src/store.ts";
check(new Store().evict(1));
function check(n: number) {}
`,
  "README.md": "# Sessions\n\n## Where sessions are evicted\n\nSee Store.\n",
  "py/shop.py":
    "from bill import total as sum_up\nimport bill\n\n\ndef pay(cart):\n    bill.send(cart)\n    return sum_up(cart)\n",
  "py/bill.py": "def total(cart):\n    return 1\n\n\ndef send(cart):\n    pass\n",
  "go/a.go":
    "package a\n\ntype Server struct{}\n\nfunc (s *Server) Serve() { s.accept(); helper() }\n\nfunc (s *Server) accept() {}\n",
  "go/b.go": "package a\n\nfunc helper() {}\n",
  "src/big.ts": `export class Big {\n${Array.from({ length: 60 }, (_, n) => `  step${n}(): string {\n    return "${"x".repeat(60)}";\n  }\n`).join("")}}\n`,
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
});
afterAll(() => fixture.remove());

type Row = Record<string, unknown>;
const entries = (answer: Row) =>
  (answer.calls as Row[]).map((c) => `${c.level} ${c.path}:${c.line} ${c.name_path} @${c.calls_at}`);

describe("call_hierarchy", () => {
  const calls = async (args: Row) => entries(await fixture.call(callHierarchy, args));

  test("lists callers over several levels, each below what it calls", async () => {
    const found = await fixture.call(callHierarchy, { name: "prune", depth: 3 });
    expect(entries(found)).toEqual([
      "1 src/store.ts:5 Store/evict @6",
      "2 src/clock.ts:2 tick @3,4",
      "3 src/clock.ts:6 start @7",
      "2 test/store.test.ts:1 store.test.ts @2",
    ]);
    expect(found).toMatchObject({ precision: "lexical", total: 4, partial: false, truncated: false });
    expect(answerText(callHierarchy, found)).toContain(
      "    src/clock.ts:3: store.evict(Date.now());  (in function tick; also at line 4)\n      src/clock.ts:7:",
    );
  });

  test("follows a name that an import renames", async () => {
    expect(await calls({ name: "start", depth: 1 })).toEqual(["1 src/main.ts:1 main.ts @3"]);
    expect(await calls({ name: "total", depth: 1 })).toEqual(["1 py/shop.py:5 pay @7"]);
  });

  test.each<[string, Row, string[]]>([
    ["by imports", { name: "pay" }, ["1 py/bill.py:5 send @6", "1 py/bill.py:1 total @7"]],
    [
      "of this, and of the package",
      { name: "Server.Serve" },
      ["1 go/a.go:7 accept @5", "1 go/b.go:3 helper @5"],
    ],
    ["by the type of the receiver", { name: "tick" }, ["1 src/store.ts:5 Store/evict @3,4"]],
    ["in a circle once", { name: "ping", depth: 5 }, ["1 src/loop.ts:4 pong @2"]],
  ])("lists callees %s", async (_, args, expected) => {
    const found = await calls({ direction: "callees", depth: 1, ...args });
    expect(found.map((one) => one.replace("Server/", ""))).toEqual(expected);
  });

  test("has none for a section of a text", async () => {
    expect(await calls({ name: "Sessions" })).toEqual([]);
  });

  test("says why there are none, and returns pages", async () => {
    expect(await fixture.call(callHierarchy, { name: "pune" })).toMatchObject({
      symbols: [],
      note: expect.stringMatching(/Similar names: prune/),
    });
    expect(await fixture.call(callHierarchy, { name: "helper", direction: "callees" })).toMatchObject({
      calls: [],
      note: expect.stringMatching(/packages and of unknown receivers are not listed/),
    });
    expect(await fixture.call(callHierarchy, { name: "prune", depth: 3, max_results: 2 })).toMatchObject({
      truncated: true,
      next_offset: 2,
      total: 4,
    });
  });
});

describe("explore", () => {
  test("answers with source, callers, callees and tests of a symbol", async () => {
    const found = await fixture.call(explore, { query: "Store.evict" });
    expect(found.definitions).toMatchObject([
      {
        path: "src/store.ts",
        start_line: 4,
        line: 5,
        name_path: "Store/evict",
        body: expect.stringMatching(/^ {2}\/\*\* Removes/),
      },
    ]);
    expect((found.calls as Row[]).map((c) => `${c.relation} ${c.path}:${c.name_path}`)).toEqual([
      "caller src/clock.ts:tick",
      "caller src/clock.ts:start",
      "test test/store.test.ts:store.test.ts",
      "callee src/store.ts:prune",
    ]);
    expect(found).toMatchObject({ precision: "lexical", left_out: { definitions: 0, calls: 0 } });
    const text = answerText(explore, found);
    expect(text).toContain("src/store.ts:5: method Store/evict\n4\t  /** Removes");
    expect(text).toContain("callers (lexical):\n  src/clock.ts:3: store.evict(Date.now());");
    expect(text).toContain("tests (lexical):\n  test/store.test.ts:2: check(new Store().evict(1));");
  });

  test("answers a question by names and words", async () => {
    const [first] = (await fixture.call(explore, { query: "where are sessions evicted?" }))
      .definitions as Row[];
    expect(first).toMatchObject({ name_path: "Store/evict" });
    const several = await fixture.call(explore, { query: "How do tick and Store.evict work together" });
    expect((several.definitions as Row[]).map((d) => d.name_path)).toContain("Store/evict");
    const file = await fixture.call(explore, { query: "src/clock.ts" });
    expect((file.definitions as Row[]).map((d) => d.name_path)).toEqual(["tick", "start"]);
  });

  test("keeps its budget, with an outline of a long class, and says what it left out", async () => {
    const big = await fixture.call(explore, { query: "Big", max_tokens: 1_000 });
    expect((big.definitions as Row[])[0]?.body).toMatch(/^export class Big \{\n {2}2-4: step0\(\): string\n/);
    const small = await fixture.call(explore, { query: "src/store.ts", max_tokens: 300 });
    expect(JSON.stringify([small.definitions, small.calls]).length).toBeLessThan(900);
    expect(small.left_out).not.toEqual({ definitions: 0, calls: 0 });
    expect(small.note).toMatch(/^Left out by max_tokens: /);
  });

  test("says that it knows nothing, with similar names", async () => {
    const found = await fixture.call(explore, { query: "Stor3" });
    expect(found).toMatchObject({ definitions: [], note: expect.stringMatching(/Similar names: .*Store/) });
  });
});
