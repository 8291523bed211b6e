import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { buildIndex } from "../../../server/index/build.ts";
import { IndexFolder, prune } from "../../../server/index/folder.ts";
import { reading } from "../../../server/index/job.ts";
import { findSymbol } from "../../../server/index/queries/find-symbol.ts";
import { repoMap } from "../../../server/index/queries/repo-map.ts";
import { filesWith } from "../../../server/index/queries/uses.ts";
import { makeRepository, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let dir: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, "repo");
  dir = join(folder.path, "index");
});
afterEach(() => folder.remove());

const build = () => buildIndex({ dir, root });
const git = (...args: string[]) =>
  promisify(execFile)("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", "-C", root, ...args]);
const commit = async () => {
  await git("add", "--all");
  await git("commit", "--quiet", "--message=Change");
};
const write = (path: string, text: string) => writeFile(join(root, path), text);

async function job() {
  const database = await new IndexFolder(dir, root).current();
  if (database === undefined) throw new Error("there is no index");
  return { database, root };
}

/** Where a name is defined, as `path:line`. */
async function find(name: string): Promise<string[]> {
  const wanted = { name, match: "exact", kinds: [], path: "" } as const;
  return (await findSymbol({ ...(await job()), ...wanted })).symbols.map((s) => `${s.path}:${s.line}`);
}

const holding = async (word: string) =>
  (await reading(await job(), (db) => ({ files: filesWith(db, { name: word, path: "" }) }))).files;

const TWO = {
  ".gitignore": "secret.env\n",
  "a.ts": "export function alpha() {}\n",
  "b.ts": "alpha();\nclass Beta {}\n",
};

test("a map whose time is over has the names that were counted, and the next one goes on", async () => {
  await makeRepository(root, TWO);
  await build();
  const map = async (timeUp: () => boolean) =>
    repoMap({ ...(await job()), path: "", budget: 1_000 }, { timeUp, progress: () => undefined });
  const late = await map(() => true);
  expect([late.isComplete, late.symbols]).toEqual([false, 2]);
  expect(await map(() => false)).toMatchObject({
    isComplete: true,
    map: expect.stringContaining("alpha()  (1 files)"),
  });
});

describe("buildIndex", () => {
  test("reads all files the first time, and then only those that changed", async () => {
    await makeRepository(root, TWO);
    expect(await build()).toMatchObject({ did: "full", read: 3, meta: { files: 3, lines: 4 } });
    expect(await find("alpha")).toEqual(["a.ts:1"]);
    expect(await build()).toMatchObject({ did: "nothing", read: 0 });

    await write("b.ts", "\n\nclass Gamma {}\n");
    await commit();
    expect(await build()).toMatchObject({ did: "update", read: 1, meta: { files: 3 } });
    expect(await find("Beta")).toEqual([]);
    expect(await find("Gamma")).toEqual(["b.ts:3"]);
    expect(await holding("alpha")).toEqual(["a.ts"]);
  });

  test("indexes uncommitted changes, and their reversal", async () => {
    await makeRepository(root, TWO);
    await build();
    await write("a.ts", "export function other() {}\n");
    await write("new.py", "def fresh(): pass\n");
    expect(await build()).toMatchObject({ did: "update", read: 2 });
    expect([await find("alpha"), await find("other"), await find("fresh")]).toEqual([
      [],
      ["a.ts:1"],
      ["new.py:1"],
    ]);
    await git("checkout", "--quiet", "--", "a.ts");
    await rm(join(root, "new.py"));
    expect(await build()).toMatchObject({ did: "update", read: 1 });
    expect([await find("alpha"), await find("other"), await find("fresh")]).toEqual([["a.ts:1"], [], []]);
  });

  test("follows moves, deletions, newly ignored files and a rewritten history", async () => {
    await makeRepository(root, TWO);
    await build();
    await rename(join(root, "a.ts"), join(root, "c.ts"));
    await write(".gitignore", "secret.env\nb.ts\n");
    await git("rm", "--quiet", "--cached", "b.ts");
    await commit();
    await build();
    expect(await find("alpha")).toEqual(["c.ts:1"]);
    expect(await find("Beta")).toEqual([]);
    await git("checkout", "--quiet", "--orphan", "rewritten");
    await commit();
    await git("branch", "--quiet", "-D", "main");
    await git("reflog", "expire", "--expire=now", "--all");
    await git("gc", "--quiet", "--prune=now");
    await write("d.ts", "export function delta() {}\n");
    await commit();
    expect((await build()).did).toBe("full");
    expect(await find("delta")).toEqual(["d.ts:1"]);
  });

  test("reads no file that is outside of the work tree, binary or huge", async () => {
    await writeFile(join(folder.path, "outside.ts"), "export function outside() {}\n");
    await mkdir(join(folder.path, "elsewhere"));
    await writeFile(join(folder.path, "elsewhere", "x.ts"), "export function elsewhere() {}\n");
    await makeRepository(root, {
      ...TWO,
      "sub/x.ts": "export function inside() {}\n",
      "bin.ts": "export function binary() {}\n\0",
      "huge.ts": `export function huge() {}\n${"x\n".repeat(600_000)}`,
    });
    await symlink("../outside.ts", join(root, "link.ts"));
    await commit();
    // A folder that has become a link since git listed its files.
    await rm(join(root, "sub"), { recursive: true });
    await symlink("../elsewhere", join(root, "sub"));
    await build();
    for (const name of ["outside", "elsewhere", "binary", "huge"])
      expect([name, await find(name)]).toEqual([name, []]);
    expect(await find("alpha")).toEqual(["a.ts:1"]);
  });

  test("builds an index of a repository without a commit or without a file", async () => {
    await mkdir(root);
    await git("init", "--quiet");
    expect(await build()).toMatchObject({ did: "full", meta: { commit: "", files: 0 } });
    await write("a.ts", TWO["a.ts"]);
    await build();
    expect(await find("alpha")).toEqual(["a.ts:1"]);
  });

  test("rebuilds a damaged or foreign database in a new file", async () => {
    await makeRepository(root, TWO);
    await build();
    await writeFile(
      (await job()).database,
      "this is no database, and long enough to be looked at".repeat(100),
    );
    expect((await build()).did).toBe("full");
    expect(await find("alpha")).toEqual(["a.ts:1"]);
    await rm((await job()).database);
    expect((await build()).did).toBe("full");
    const left = await readdir(join(dir, (await readdir(dir))[0] ?? ""));
    expect(left.filter((name) => name.endsWith(".sqlite") && name !== "lock.sqlite")).toHaveLength(1);
  });

  test("runs in one process at a time", async () => {
    await makeRepository(root, TWO);
    const unlock = await new IndexFolder(dir, root).lock();
    expect((await build()).did).toBe("locked");
    unlock?.();
    expect((await build()).did).toBe("full");
  });
});

/** Starts a build in a process of its own and kills it with SIGKILL when it has read half of the files. */
async function killedBuild(): Promise<string> {
  const script = resolve("test/server/index/build-until-killed.ts");
  const args = ["--disable-warning=ExperimentalWarning", script, dir, root];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const { promise, resolve: done } = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk) => {
    text += chunk;
    if (/^half: [1-9]\d* of \d+\n/.test(text)) child.kill("SIGKILL");
  });
  child.once("close", () => done());
  await promise;
  return text;
}

describe("kill -9", () => {
  const many = (tag: string) =>
    Object.fromEntries(
      Array.from({ length: 900 }, (_, n) => [`f${n}.ts`, `export function ${tag}${n}() {}\n`.repeat(40)]),
    );

  test("during the first build leaves no index, and the next build starts from the beginning", async () => {
    await makeRepository(root, many("one"));
    expect(await killedBuild()).toMatch(/^half: \d+ of \d+\n$/);
    expect(await new IndexFolder(dir, root).current()).toBeUndefined();
    expect((await build()).did).toBe("full");
    expect(await find("one899")).toHaveLength(40);
  });

  test("during an update leaves the old index intact, and the next update completes it", async () => {
    await makeRepository(root, many("one"));
    await build();
    for (const [path, text] of Object.entries(many("two"))) await write(path, text);
    await commit();
    expect(await killedBuild()).toMatch(/^half: \d+ of \d+\n$/);
    expect(await find("one0")).toHaveLength(40);
    expect(await find("two0")).toEqual([]);
    expect((await build()).did).toBe("update");
    expect(await find("one0")).toEqual([]);
    expect(await find("two899")).toHaveLength(40);
  });
});

test("prune removes the index of a deleted repository", async () => {
  await makeRepository(root, TWO);
  await build();
  await prune(dir, existsSync);
  expect(await readdir(dir)).toHaveLength(1);
  await rm(root, { recursive: true });
  await prune(dir, existsSync);
  expect(await readdir(dir)).toEqual([]);
});
