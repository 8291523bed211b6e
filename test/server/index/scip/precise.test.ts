import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { IndexFolder } from "../../../../server/index/folder.ts";
import { PRECISE_FILE } from "../../../../server/index/scip/database.ts";
import { callHierarchy } from "../../../../server/tools/call-hierarchy.ts";
import { findReferences } from "../../../../server/tools/find-references.ts";
import { goToDefinition } from "../../../../server/tools/go-to-definition.ts";
import { type Fixture, makeCodeFixture } from "../../tools/support.ts";
import { type WrittenDocument, writeScip } from "./write-scip.ts";

/** Two classes with a method of the same name, and a local variable of that name. */
const FILES = {
  "a.go": "package a\n\ntype A struct{}\n\nfunc (a A) Run() {}\n",
  "b.go": "package a\n\ntype B struct{}\n\nfunc (b B) Run() {}\n",
  "use.go": "package a\n\n// ä\nfunc use(x A, y B) { x.Run(); y.Run() }\nvar ä = A{}; var z = ä.Run\n",
  "note.md": "Run Run Run\n",
};
const A_RUN = "t gomod m v1 m/A#Run().";
const B_RUN = "t gomod m v1 m/B#Run().";
const FMT = "t gomod std v1 fmt/Println().";
const DOCUMENTS: WrittenDocument[] = [
  { path: "a.go", encoding: 1, occurrences: [[A_RUN, 4, 11, 14, "definition"]] },
  { path: "b.go", encoding: 1, occurrences: [[B_RUN, 4, 11, 14, "definition"]] },
  {
    path: "use.go",
    encoding: 1,
    occurrences: [
      ["local 0", 3, 9, 10, "definition"],
      ["local 0", 3, 21, 22],
      [A_RUN, 3, 23, 26],
      [FMT, 3, 30, 31],
      [B_RUN, 3, 32, 35],
      // The column counts bytes: "ä" has two.
      [A_RUN, 4, 25, 28],
    ],
  },
];

let fixture: Fixture;
let folder: string;
let root: string;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-scip-test-"));
  root = join(fixture.path, "code");
});
afterAll(async () => {
  await fixture.remove();
  await rm(folder, { recursive: true });
});

const git = async (...args: string[]) =>
  (await execa("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", "-C", root, ...args])).stdout;

async function upload(documents: readonly WrittenDocument[], commit?: string) {
  const file = join(folder, "index.scip");
  await writeFile(file, writeScip(documents));
  const repo = await fixture.workspace.find(undefined);
  const { signal } = new AbortController();
  return fixture.index.importScip(repo, { file, commit: commit ?? (await git("rev-parse", "HEAD")) }, signal);
}

type Row = Record<string, unknown>;
async function references(args: Row) {
  const { references, precision, lexical_files } = await fixture.call(findReferences, args);
  return {
    places: (references as Row[]).map((r) => `${r.path}:${r.line}:${r.column}`),
    precision,
    lexical_files,
  };
}
const definition = (args: Row) => fixture.call(goToDefinition, args);

describe("with an uploaded index", () => {
  test("answers are lexical before, by the types that declarations name", async () => {
    const found = await references({ name: "A.Run" });
    expect(found.precision).toBe("lexical");
    expect(found.places).toEqual(["use.go:4:24", "use.go:5:24"]);
  });

  test("a file that another process is about to fill does not count", async () => {
    const index = new IndexFolder(join(dirname(fixture.path), "index"), root);
    await writeFile(join(index.path, PRECISE_FILE), "");
    expect((await references({ name: "A.Run" })).precision).toBe("lexical");
    expect((await definition({ path: "use.go", line: 4, symbol: "Run" })).precision).toBe("lexical");
  });

  test("an index with unknown files is refused, and names them", async () => {
    const strange = { path: "../../etc/passwd", occurrences: [] };
    await expect(upload([...DOCUMENTS, strange])).rejects.toThrow(/has no file "..\/..\/etc\/passwd"/);
    expect((await references({ name: "A.Run" })).precision).toBe("lexical");
    await expect(upload(DOCUMENTS, "0".repeat(40))).rejects.toThrow();
    await expect(upload([])).rejects.toThrow(/no documents/);
  });

  test("references are those of the symbol", async () => {
    expect(await upload(DOCUMENTS)).toMatchObject({ tool: "scip-test", documents: 3, occurrences: 8 });
    expect(await references({ name: "A.Run" })).toEqual({
      places: ["use.go:4:24", "use.go:5:24"],
      precision: "precise",
      lexical_files: undefined,
    });
    expect((await references({ name: "Run", defined_in: "b.go" })).places).toEqual(["use.go:4:33"]);
    expect((await references({ name: "Run" })).places).toHaveLength(3);
    expect((await references({ name: "A.Run", include_definitions: true })).places).toContain("a.go:5:12");
  });

  test("definitions are those of the symbol, also local and external ones", async () => {
    const run = await definition({ path: "use.go", line: 4, column: 33 });
    expect(run).toMatchObject({
      precision: "precise",
      definitions: [{ path: "b.go", line: 5, why: "precise index" }],
    });
    const local = await definition({ path: "use.go", line: 4, column: 22 });
    expect(local.definitions).toMatchObject([{ path: "use.go", line: 4, column: 10 }]);
    const bytes = await definition({ path: "use.go", line: 5, symbol: "Run" });
    expect(bytes.definitions).toMatchObject([{ path: "a.go", line: 5 }]);
    const external = await definition({ path: "use.go", line: 4, column: 31 });
    expect(external).toMatchObject({ definitions: [], external: "gomod std v1", precision: "precise" });
  });

  test("a file that changed since is lexical, and the answer says so", async () => {
    await writeFile(join(root, "use.go"), `${FILES["use.go"]}func more(x A) { x.Run() }\n`);
    await fixture.index.refresh();
    const found = await references({ name: "A.Run" });
    expect(found).toMatchObject({ precision: "mixed", lexical_files: ["use.go"] });
    expect(found.places).toContain("use.go:6:20");
    expect((await definition({ path: "use.go", line: 4, column: 33 })).precision).toBe("lexical");
    await git("checkout", "--quiet", "use.go");
    await fixture.index.refresh();
    expect((await references({ name: "A.Run" })).precision).toBe("precise");
  });

  test("a definition whose file changed since is found by its name", async () => {
    await writeFile(join(root, "b.go"), `package a\n\n\n\ntype B struct{}\n\nfunc (b B) Run() {}\n`);
    await fixture.index.refresh();
    const found = await definition({ path: "use.go", line: 4, column: 33 });
    expect(found).toMatchObject({ precision: "mixed", definitions: [{ path: "b.go", line: 7 }] });
    await git("checkout", "--quiet", "b.go");
    await fixture.index.refresh();
  });

  test("the indexes of the last two commits are kept", async () => {
    for (const n of [1, 2, 3]) {
      await git("commit", "--quiet", "--allow-empty", `--message=${n}`);
      await upload(DOCUMENTS);
    }
    await fixture.index.refresh();
    expect((await references({ name: "A.Run" })).precision).toBe("precise");
  });
});

test("an implementation has the uses of what it implements", async () => {
  const interfaceRun = "t gomod m v1 m/Runner#Run().";
  const implementing: WrittenDocument[] = DOCUMENTS.map((document) => ({ ...document }));
  implementing[0] = {
    path: "a.go",
    occurrences: [[A_RUN, 4, 11, 14, "definition"]],
    relations: [[A_RUN, interfaceRun]],
  };
  implementing[1] = { path: "b.go", occurrences: [[interfaceRun, 4, 11, 14]] };
  await upload(implementing);
  expect((await references({ name: "A.Run" })).places).toContain("b.go:5:12");
});

test("a class has the uses of its constructors, and not those of their parameters", async () => {
  const type = "t gomod m v1 m/A#";
  const changed: WrittenDocument[] = DOCUMENTS.map((document) => ({ ...document }));
  changed[0] = {
    path: "a.go",
    occurrences: [
      [type, 2, 5, 6, "definition"],
      [`${type}\`<constructor>\`().(a)`, 4, 6, 7],
    ],
  };
  changed[1] = { path: "b.go", occurrences: [[`${type}\`<constructor>\`(+1).`, 4, 11, 14]] };
  await upload(changed);
  expect((await references({ name: "A" })).places).toEqual(["b.go:5:12"]);
});

test("the line chooses between two symbols of a file with the same name", async () => {
  const other = "t gomod m v1 m/C#Run().";
  const both: WrittenDocument = {
    path: "use.go",
    encoding: 1,
    occurrences: [
      [A_RUN, 3, 23, 26, "definition"],
      [other, 4, 25, 28, "definition"],
    ],
  };
  const uses: WrittenDocument = { path: "a.go", occurrences: [[other, 4, 11, 14]] };
  await upload([both, uses, { path: "b.go", occurrences: [[A_RUN, 4, 11, 14]] }]);
  expect((await references({ name: "Run", defined_in: "use.go", line: 4 })).places).toEqual(["b.go:5:12"]);
  expect((await references({ name: "Run", defined_in: "use.go", line: 5 })).places).toEqual(["a.go:5:12"]);
  expect((await references({ name: "Run", defined_in: "use.go" })).places).toHaveLength(2);
});

test("callers and callees are those of the symbol", async () => {
  await upload(DOCUMENTS);
  const hierarchy = async (args: Row) => {
    const { calls, precision } = await fixture.call(callHierarchy, { depth: 1, ...args });
    return [precision, ...(calls as Row[]).map((c) => `${c.path}:${c.name_path} @${c.calls_at}`)];
  };
  expect(await hierarchy({ name: "B.Run" })).toEqual(["precise", "use.go:use @4"]);
  expect(await hierarchy({ name: "use", direction: "callees" })).toEqual([
    "precise",
    "a.go:A/Run @4",
    "b.go:B/Run @4",
  ]);
});
