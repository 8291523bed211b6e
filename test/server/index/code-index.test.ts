import { execFile } from "node:child_process";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Capabilities } from "../../../server/capabilities/registry.ts";
import { CodeIndex } from "../../../server/index/code-index.ts";
import { INDEX_VERSION } from "../../../server/index/database.ts";
import { IndexFolder } from "../../../server/index/folder.ts";
import { sharedListing } from "../../../server/index/text/shared-listing.ts";
import { JobThread } from "../../../server/index/thread.ts";
import { Workspace } from "../../../server/workspace/workspace.ts";
import { eventually, makeRepository, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let workspace: Workspace;
let root: string;
let capabilities: Capabilities;
const logged: object[] = [];
const open: CodeIndex[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, "workspace", "code");
  workspace = new Workspace({ kind: "folder", dir: join(folder.path, "workspace") });
  capabilities = new Capabilities();
  logged.length = 0;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((index) => index.close()));
  await folder.remove();
});

function makeIndex(dir = join(folder.path, "index"), now?: () => number): CodeIndex {
  const log = { info: (facts: object) => logged.push(facts), warn: (facts: object) => logged.push(facts) };
  const index = new CodeIndex({
    dir,
    workspace,
    capabilities,
    pollSeconds: 3_600,
    callMs: 100_000,
    log,
    ...(now ? { now } : {}),
  });
  open.push(index);
  return index;
}

const call = () => ({ signal: new AbortController().signal });
const named = (name: string) => ({ name, parents: [], match: "exact" as const, kinds: [], path: "" });
const FILES = { ".gitignore": "secret.env\n", "a.ts": "export function alpha() {}\n" };

describe("CodeIndex", () => {
  test("the capability is available once an index is built, and has the reason until then", async () => {
    await makeRepository(root, FILES);
    const repo = await workspace.find("code");
    const index = makeIndex();
    expect(capabilities.snapshot().capabilities).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "index", available: false, why: "not built yet" }),
      ]),
    );
    await expect(index.query("findSymbol", repo, named("alpha"), call())).rejects.toThrow(
      "The index of repository code is being built. Try again soon, or use search_text.",
    );
    const availability: boolean[] = [];
    capabilities.onChange((changed) => availability.push(changed.available));
    await index.start();
    await index.refresh();
    expect(availability).toEqual([true]);
    expect(index.describe()).toBe("1 of 1 repositories indexed");
    expect((await index.query("findSymbol", repo, named("alpha"), call())).symbols).toHaveLength(1);
    expect(logged).toEqual([expect.objectContaining({ repo: "code", did: "full", files_read: 2 })]);
  });

  test("a call with a progress token waits for the first build", async () => {
    await makeRepository(root, FILES);
    const repo = await workspace.find("code");
    const index = makeIndex();
    // Another process holds the builder's lock, so the build cannot begin.
    const unlock = await new IndexFolder(join(folder.path, "index"), root).lock();
    await index.start();
    await index.refresh();
    const reports: unknown[][] = [];
    const progress = (...report: unknown[]) => void reports.push(report);
    const found = index.query("findSymbol", repo, named("alpha"), { ...call(), progress });
    await eventually(() => reports.length > 0, "the first report");
    expect(reports[0]).toEqual([0, undefined, "building the index of code"]);
    unlock?.();
    await index.refresh();
    expect((await found).symbols).toHaveLength(1);
  });

  test("calls during an update are answered from the old index, which is reported as updating", async () => {
    await makeRepository(root, FILES);
    const repo = await workspace.find("code");
    const index = makeIndex();
    await index.start();
    await index.refresh();
    await writeFile(join(root, "a.ts"), "export function beta() {}\n");
    // Another process holds the builder's lock, so the update cannot end.
    const unlock = await new IndexFolder(join(folder.path, "index"), root).lock();
    await index.refresh();
    expect(index.state(repo).state).toBe("updating");
    expect((await index.query("findSymbol", repo, named("alpha"), call())).symbols).toHaveLength(1);
    unlock?.();
    await index.refresh();
    expect(index.state(repo).state).toBe("ready");
    expect((await index.query("findSymbol", repo, named("alpha"), call())).symbols).toHaveLength(0);
    expect((await index.query("findSymbol", repo, named("beta"), call())).symbols).toHaveLength(1);
  });

  test("an added repository is indexed, and the index of a removed one is dropped", async () => {
    await mkdir(join(folder.path, "workspace"));
    const index = makeIndex();
    await index.start();
    await index.refresh();
    expect(capabilities.snapshot().capabilities.find((c) => c.name === "index")?.why).toBe(
      "there is no repository",
    );
    await makeRepository(root, FILES);
    await index.refresh();
    expect(capabilities.has("index")).toBe(true);
    await promisify(execFile)("rm", ["-r", root]);
    await index.refresh();
    expect(capabilities.has("index")).toBe(false);
  });

  test("with an unusable INDEX_DIR, the server runs without an index and says how to fix it", async () => {
    await makeRepository(root, FILES);
    await writeFile(join(folder.path, "file"), "");
    const index = makeIndex(join(folder.path, "file", "index"));
    await index.start();
    await index.refresh();
    const found = capabilities.snapshot().capabilities.find((c) => c.name === "index");
    expect(found).toMatchObject({
      available: false,
      why: expect.stringMatching(/INDEX_DIR=.*make it writable/),
    });
  });

  test("a repository that git cannot read is reported with git's message, and does not delay the others", async () => {
    await makeRepository(root, FILES);
    await makeRepository(join(folder.path, "workspace", "broken"), FILES);
    await writeFile(join(folder.path, "workspace", "broken", ".git", "HEAD"), "nonsense\n");
    await chmod(join(folder.path, "workspace", "broken", ".git"), 0o755);
    const index = makeIndex();
    await index.start();
    await index.refresh();
    const [broken, code] = await workspace.repositories();
    expect(broken && index.state(broken)).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/git/),
    });
    expect(code && index.state(code).state).toBe("ready");
    if (broken)
      await expect(index.query("findSymbol", broken, named("x"), call())).rejects.toThrow(
        "could not be indexed",
      );
  });
});

describe("an index that an earlier server left", () => {
  const pointer = (of: string) => join(new IndexFolder(join(folder.path, "index"), of).path, POINTER);
  const POINTER = `current-v${INDEX_VERSION}.json`;
  const other = () => join(folder.path, "workspace", "other");
  beforeEach(async () => {
    for (const each of [root, other()]) await makeRepository(each, FILES);
    const before = makeIndex();
    await before.start();
    await before.refresh();
    await before.close();
    capabilities = new Capabilities();
  });

  test("answers as soon as the server has started", async () => {
    const index = makeIndex();
    await index.start();
    expect(capabilities.has("index")).toBe(true);
    const repo = await workspace.find("code");
    expect(index.state(repo).state).toMatch(/^(updating|ready)$/);
    expect((await index.query("findSymbol", repo, named("alpha"), call())).symbols).toHaveLength(1);
  });

  test.each([
    ["empty", ""],
    ["cut off", '{"root":"/srv'],
    ["null", "null"],
    ["a number", "7"],
    ["of another form", '{"root":7,"file":{}}'],
    ["a path outside of its folder", '{"file":"../../a.sqlite"}'],
    ["the name of a missing file", '{"file":"v0-gone.sqlite"}'],
  ])(
    "with one pointer that is %s is rebuilt in one round, and answers for the other repositories at once",
    async (_, text) => {
      await writeFile(pointer(root), text);
      const index = makeIndex();
      await index.start();
      expect(capabilities.has("index")).toBe(true);
      const repo = await workspace.find("other");
      expect((await index.query("findSymbol", repo, named("alpha"), call())).symbols).toHaveLength(1);
      await index.refresh();
      const rebuilt = await workspace.find("code");
      expect((await index.query("findSymbol", rebuilt, named("alpha"), call())).symbols).toHaveLength(1);
    },
  );

  test("is rebuilt after a failure with increasing delays", async () => {
    await rm(pointer(root));
    // A file cannot be renamed onto a folder.
    await mkdir(join(pointer(root), "full"), { recursive: true });
    let now = Date.now();
    const index = makeIndex(undefined, () => now);
    const run = jest.spyOn(JobThread.prototype, "run");
    const builds = () =>
      run.mock.calls.filter(
        ([name, args]) => name === "buildIndex" && (args as { root: string }).root === root,
      ).length;
    await index.start();
    await index.refresh();
    /** @returns the steps in which a build was tried */
    const tries = async (count: number, minutes: number) => {
      const tried: number[] = [];
      for (let n = 1; n <= count; n++) {
        const before = builds();
        now += minutes * 60_000;
        await index.refresh();
        if (builds() > before) tried.push(n);
      }
      return tried;
    };
    expect(await tries(8, 1)).toEqual([1, 2, 4, 7]);
    // The delay is at most half an hour.
    await tries(7, 10);
    expect(await tries(4, 31)).toEqual([1, 2, 3, 4]);
    expect(await tries(6, 10)).toHaveLength(2);
    const repo = await workspace.find("code");
    expect(index.state(repo)).toMatchObject({ state: "failed", reason: expect.any(String) });
    await rm(pointer(root), { recursive: true });
    now += 31 * 60_000;
    await index.refresh();
    expect(index.state(repo).state).toBe("ready");
    run.mockRestore();
  });
});

describe("JobThread", () => {
  /** A structural search over one file that takes far longer than any test. */
  async function endless() {
    const text = `${"f(g(h(1,2),3),4);\n".repeat(40_000)}`;
    await makeRepository(root, { "big.ts": text });
    const files = Array.from({ length: 500 }, () => "big.ts");
    return { root, pattern: "$A", inside: "$B", language: "typescript" as const, ...over(files), max: 1e9 };
  }
  const over = (files: string[]) => ({ folder: "", listing: sharedListing(files), database: undefined });
  const quick = () => ({
    root,
    pattern: "f($$$)",
    inside: undefined,
    language: "typescript" as const,
    ...over([]),
    max: 1,
  });

  test("ends a cancelled job, and runs the next one in a new thread", async () => {
    const thread = new JobThread(128);
    const abort = new AbortController();
    const running = thread.run("structural", await endless(), { signal: abort.signal });
    const waiting = thread.run("structural", quick());
    abort.abort();
    await expect(running).rejects.toThrow("The call was cancelled.");
    expect((await waiting).matches).toEqual([]);
    await thread.close();
  });

  test("ends a job at its time limit, cancels a queued job, and refuses others on close", async () => {
    const thread = new JobThread(128);
    const running = thread.run("structural", await endless(), { timeoutMs: 50 });
    const abort = new AbortController();
    const waiting = thread.run("structural", quick(), { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toThrow("cancelled");
    // Between two files the job returns what it has. Within a file its thread is terminated.
    const ended = await running.then(
      (result) => result.timed_out,
      (error: Error) => error.message.includes("Narrow it by path"),
    );
    expect(ended).toBe(true);
    const refused = expect(thread.run("structural", quick())).rejects.toThrow("shutting down");
    await thread.close();
    await refused;
    await expect(thread.run("structural", quick())).rejects.toThrow("shutting down");
  });

  test("returns the error of a job, and the thread still works", async () => {
    const thread = new JobThread(128);
    await expect(thread.run("structural", { ...quick(), pattern: "a; b" })).rejects.toThrow("refused");
    expect((await thread.run("structural", quick())).matches).toEqual([]);
    await thread.close();
  });
});
