import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findFiles, rankFiles } from "../../../server/tools/find-files.ts";
import { gitBlame } from "../../../server/tools/git-blame.ts";
import { gitDiff } from "../../../server/tools/git-diff.ts";
import { gitLog } from "../../../server/tools/git-log.ts";
import { listFiles } from "../../../server/tools/list-files.ts";
import { listRepos } from "../../../server/tools/list-repos.ts";
import { commitsWithChangedText } from "../../../server/tools/log/changed-text.ts";
import { readFile } from "../../../server/tools/read-file.ts";
import type { Tool } from "../../../server/tools/tool.ts";
import { ByteCache } from "../../../server/workspace/byte-cache.ts";
import { forgeOf, lineUrl, webAddress } from "../../../server/workspace/forge.ts";
import { programsOf, settledFiles } from "../programs.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

let fixture: Fixture;
const hashes: string[] = [];

async function git(...args: string[]): Promise<string> {
  const root = join(fixture.path, "code");
  const author = ["-c", "user.name=Grace Hopper", "-c", "user.email=grace@example.test"];
  return (await promisify(execFile)("git", [...author, "-C", root, ...args])).stdout.trim();
}

async function commit(message: string, date: string): Promise<void> {
  await git("add", "--all");
  await git("commit", "--quiet", `--message=${message}`, `--date=${date}`);
  hashes.push(await git("rev-parse", "HEAD"));
}

const write = (path: string, text: string) => writeFile(join(fixture.path, "code", path), text);

beforeAll(async () => {
  fixture = await makeCodeFixture({
    ".gitignore": "secret.env\n",
    "a.txt": "one\ntwo\nthree\n",
    "gone.txt": "needle\n",
    "bin.dat": "\0\x01",
  });
  hashes.push(await git("rev-parse", "HEAD"));
  await write("a.txt", "one\nTWO\nthree\n");
  await commit("Shout the second line\n\nIt was too quiet.", "2025-03-01T12:00:00Z");
  await git("mv", "a.txt", "b.txt");
  await git("rm", "--quiet", "gone.txt");
  await mkdir(join(fixture.path, "code", "sub"));
  await write("sub/c.txt", "needle again\n");
  await write("bin.dat", "\0\x02");
  await commit("Move it", "2025-03-02T12:00:00Z");
  await git("tag", "v1");
  await git("remote", "add", "origin", "https://user:hunter2@github.com/owner/name.git");
  await write("b.txt", "one\nTWO\nthree\nfour\n");
});
afterAll(() => fixture.remove());

const ask = (tool: Tool, args: Record<string, unknown> = {}) => fixture.call(tool, args);
const subjects = async (args: Record<string, unknown>) =>
  ((await ask(gitLog, args)).commits as { subject: string }[]).map((c) => c.subject);

describe("git_log", () => {
  test("lists commits with their details, newest first", async () => {
    const { commits } = await ask(gitLog);
    expect(commits).toEqual([
      expect.objectContaining({ commit: hashes[2], parents: [hashes[1]], subject: "Move it", body: "" }),
      {
        commit: hashes[1],
        parents: [hashes[0]],
        author: "Grace Hopper",
        date: expect.stringMatching(/^2025-03-01T12:00:00(Z|\+00:00)$/),
        subject: "Shout the second line",
        body: "It was too quiet.",
      },
      expect.objectContaining({ commit: hashes[0], parents: [], subject: "Sample" }),
    ]);
  });

  test("follows a file through renames, and starts at a folder or revision", async () => {
    expect(await subjects({ path: "b.txt" })).toEqual(["Move it", "Shout the second line", "Sample"]);
    expect(await subjects({ path: "sub" })).toEqual(["Move it"]);
    expect(await subjects({ path: "gone.txt" })).toEqual(["Move it", "Sample"]);
    expect(await subjects({ revision: "v1~1" })).toEqual(["Shout the second line", "Sample"]);
  });

  test("filters commits", async () => {
    expect(await subjects({ author: "grace@" })).toEqual(["Move it", "Shout the second line"]);
    expect(await subjects({ message: "TOO QUIET" })).toEqual(["Shout the second line"]);
    expect(await subjects({ changed_text: "needle again" })).toEqual(["Move it"]);
    const ofFile = { path: "b.txt", changed_text: "two" };
    expect(await subjects(ofFile)).toEqual(["Shout the second line", "Sample"]);
    expect(await subjects({ ...ofFile, max_results: 1, offset: 1 })).toEqual(["Sample"]);
    expect(await subjects({ since: "2099-01-01" })).toEqual([]);
    expect(await subjects({ message: "nothing has this" })).toEqual([]);
  });

  test("pages", async () => {
    expect(await ask(gitLog, { max_results: 1 })).toMatchObject({ truncated: true, next_offset: 1 });
    expect(await ask(gitLog, { max_results: 2, offset: 1 })).toMatchObject({
      truncated: false,
      next_offset: null,
    });
    expect(await subjects({ max_results: 1, offset: 1 })).toEqual(["Shout the second line"]);
  });

  test.each([
    [{ revision: "--all" }, "is not a revision"],
    [{ revision: "missing" }, 'has no commit "missing"'],
    [{ revision: "HEAD^{tree}" }, "has no commit"],
    [{ message: "a\nb" }, "one line"],
    [{ path: "../x" }, 'contains ".."'],
  ])("%j is refused", async (args, message) => {
    await expect(ask(gitLog, args)).rejects.toThrow(message);
  });

  test("treats an option in a filter as text", async () => {
    expect(await subjects({ author: "--output=/tmp/x" })).toEqual([]);
    expect(await subjects({ changed_text: "-x --output=/tmp/x" })).toEqual([]);
  });
});

describe("git_diff", () => {
  const files = async (args: Record<string, unknown>) => (await ask(gitDiff, args)).files;

  test("compares the work tree with a commit", async () => {
    expect(await ask(gitDiff)).toMatchObject({
      from: hashes[2],
      to: "work tree",
      files: [
        {
          path: "b.txt",
          added: 1,
          removed: 0,
          patch: "@@ -1,3 +1,4 @@\n one\n TWO\n three\n+four\n",
          patch_truncated: false,
        },
      ],
    });
  });

  test("shows a commit, the first commit, and two revisions for one path", async () => {
    expect(await files({ commit: hashes[1] })).toEqual([
      {
        path: "a.txt",
        added: 1,
        removed: 1,
        patch: "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n",
        patch_truncated: false,
      },
    ]);
    expect(await files({ commit: hashes[0], stat_only: true })).toHaveLength(4);
    const all = (await files({ from: hashes[0], to: "v1" })) as {
      path: string;
      added: number | null;
      patch: string;
    }[];
    expect(all.map((f) => f.path)).toEqual(["b.txt", "bin.dat", "gone.txt", "sub/c.txt"]);
    expect(all[0]).toMatchObject({ renamed_from: "a.txt", added: 1, removed: 1 });
    expect(all.find((f) => f.path === "bin.dat")).toMatchObject({ added: null, patch: "" });
    expect(await files({ from: "HEAD~1", to: "HEAD", path: "sub" })).toHaveLength(1);
  });

  test("returns pages, and cuts a long patch", async () => {
    expect(await ask(gitDiff, { from: hashes[0], to: "v1", max_results: 2 })).toMatchObject({
      total: 4,
      truncated: true,
      next_offset: 2,
    });
    const [file] = (await files({ max_answer_chars: 10 })) as { patch: string; patch_truncated: boolean }[];
    expect(file).toMatchObject({ patch: "@@ -1,3 +1", patch_truncated: true });
  });
});

describe("git_blame", () => {
  test("groups neighbouring lines of one commit, and names no author for uncommitted lines", async () => {
    const { groups } = await ask(gitBlame, { path: "b.txt" });
    expect(
      (groups as { commit: string; text: string; start_line: number }[]).map((g) => [
        g.start_line,
        g.commit,
        g.text,
      ]),
    ).toEqual([
      [1, hashes[0], "one"],
      [2, hashes[1], "TWO"],
      [3, hashes[0], "three"],
      [4, "0".repeat(40), "four"],
    ]);
    expect((groups as object[])[1]).toMatchObject({
      author: "Grace Hopper",
      summary: "Shout the second line",
      date: "2025-03-01T12:00:00.000Z",
    });
  });

  test("starts at a revision, takes a range, and refuses lines beyond the end", async () => {
    expect(
      (await ask(gitBlame, { path: "a.txt", revision: hashes[1], start_line: 2, end_line: 2 })).groups,
    ).toMatchObject([{ commit: hashes[1], text: "TWO" }]);
    expect(await ask(gitBlame, { path: "b.txt", start_line: 99 })).toMatchObject({
      groups: [],
      note: "The file has 4 lines. Lower start_line.",
    });
    await expect(ask(gitBlame, { path: "secret.env" })).rejects.toThrow("is ignored by git");
  });
});

describe("read_file at a revision", () => {
  test("returns the file at that revision, even if it was deleted later", async () => {
    expect(await ask(readFile, { path: "a.txt", revision: "HEAD~2" })).toMatchObject({
      commit: hashes[0],
      text: "one\ntwo\nthree",
    });
    expect(await ask(readFile, { path: "gone.txt", revision: hashes[0] })).toMatchObject({ text: "needle" });
    expect(await ask(readFile, { path: "bin.dat", revision: "v1" })).toMatchObject({ binary: true, size: 2 });
    await expect(ask(readFile, { path: "gone.txt", revision: "v1" })).rejects.toThrow(
      "is not in repository code",
    );
    await expect(ask(readFile, { path: "sub", revision: "v1" })).rejects.toThrow("is a folder");
  });
});

describe("find_files", () => {
  test("ranks an equal name first, then names that begin with it or contain it, then paths", () => {
    const files = [
      "src/config.ts",
      "config/a.ts",
      "lib/myconfig.ts",
      "server/con/fig.ts",
      "other.ts",
      "config",
    ];
    expect(rankFiles(files, "config")).toEqual([
      "config",
      "src/config.ts",
      "lib/myconfig.ts",
      "config/a.ts",
      "server/con/fig.ts",
    ]);
    expect(rankFiles(files, "./config/a")).toEqual(["config/a.ts"]);
    expect(rankFiles(files, "srvfig")).toEqual(["server/con/fig.ts"]);
  });

  test("searches one repository, and returns pages", async () => {
    expect(await ask(findFiles, { query: "txt", max_results: 1 })).toMatchObject({
      files: ["b.txt"],
      total: 2,
      next_offset: 1,
    });
    expect(await ask(findFiles, { query: "txt", path: "sub" })).toMatchObject({ files: ["sub/c.txt"] });
  });
});

describe("list_repos", () => {
  test("lists branch, commit, page and index, without credentials", async () => {
    const answer = await ask(listRepos);
    expect(answer.repos).toEqual([
      {
        name: "code",
        branch: "main",
        branches: ["main"],
        tags: ["v1"],
        commit: hashes[2],
        url: "https://github.com/owner/name",
        index: "ready",
        sync: null,
      },
    ]);
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });

  test("lists a repository without a commit", async () => {
    await git("init", "--quiet", "--initial-branch=start", join(fixture.path, "bare-start"));
    const { repos } = await ask(listRepos);
    expect((repos as object[])[0]).toEqual({
      name: "bare-start",
      branch: "start",
      branches: [],
      tags: [],
      commit: "",
      url: null,
      index: "none",
      sync: null,
    });
    await rm(join(fixture.path, "bare-start"), { recursive: true });
  });
});

describe("a repeated call", () => {
  const CALLS: [Tool, Record<string, unknown>][] = [
    [listRepos, {}],
    [listFiles, {}],
    [listFiles, { path: "sub", glob: "*.txt" }],
    [gitLog, {}],
    [gitLog, { path: "b.txt", author: "grace", max_results: 1 }],
    [gitLog, { revision: "v1~1..v1", message: "nothing has this" }],
    [gitLog, { changed_text: "needle again" }],
    [gitBlame, { path: "b.txt" }],
    [gitBlame, { path: "a.txt", revision: "HEAD~1", start_line: 2 }],
    [gitDiff, { commit: "HEAD" }],
    [gitDiff, { from: "HEAD~2", to: "v1", path: "sub" }],
  ];

  test.each(CALLS.map(([tool, args]) => [tool.name, args, tool] as const))(
    "of %s with %j starts no program and has the same result",
    async (_, args, tool) => {
      await settledFiles();
      const first = await ask(tool, args);
      expect(await ask(tool, args)).toEqual(first);
      expect(await programsOf(() => ask(tool, args))).toEqual([]);
    },
  );

  test("of git_diff for the same commits with other options starts one program for all files", async () => {
    await settledFiles();
    const sides = { from: hashes[0], to: "v1" };
    expect((await ask(gitDiff, { ...sides, stat_only: true })).files).toHaveLength(4);
    expect(await programsOf(() => ask(gitDiff, { ...sides, context: 7 }))).toEqual([
      expect.stringMatching(/ diff --unified=7 .* -- a.txt b.txt gone.txt sub\/c.txt$/),
    ]);
  });

  test("gives a new result when the files or the history have changed", async () => {
    const authors = async () =>
      ((await ask(gitBlame, { path: "b.txt" })).groups as { author: string }[]).map(({ author }) => author);
    const check = async (change: () => Promise<unknown>, expected: readonly string[]) => {
      await settledFiles();
      await authors();
      await change();
      expect(await authors()).toEqual(expected);
    };
    const [test, grace, uncommitted] = ["Test", "Grace Hopper", "Not Committed Yet"] as const;
    await check(() => Promise.resolve(), [test, grace, test, uncommitted]);
    await check(() => write("b.txt", "1\nTWO\nthree\nfour\n"), [uncommitted, grace, test, uncommitted]);
    await check(() => write("b.txt", "one\nTWO\nthree\nfour\n"), [test, grace, test, uncommitted]);
    await check(
      () => write(".mailmap", "Amazing Grace <grace@example.test>\n"),
      [test, "Amazing Grace", test, uncommitted],
    );
    await check(() => write(".mailmap", ""), [test, grace, test, uncommitted]);
    await rm(join(fixture.path, "code", ".mailmap"));
    await ask(gitLog);
    await ask(gitDiff, { commit: "v1" });
    await git("tag", "--force", "v1", "HEAD~1");
    expect(await subjects({ revision: "v1", max_results: 1 })).toEqual(["Shout the second line"]);
    expect(await ask(gitDiff, { commit: "v1" })).toMatchObject({ to: hashes[1] });
    await git("tag", "--force", "v1", "HEAD");
  });
});

describe("git_blame with .git-blame-ignore-revs", () => {
  const blamed = async () => {
    const { groups, note } = await ask(gitBlame, { path: "b.txt", start_line: 2, end_line: 2 });
    return { commits: (groups as { commit: string }[]).map(({ commit }) => commit), note };
  };
  afterAll(() => rm(join(fixture.path, "code", ".git-blame-ignore-revs"), { force: true }));

  test("passes over its commits and says so, and follows a change of the file", async () => {
    await settledFiles();
    expect(await blamed()).toEqual({ commits: [hashes[1]], note: undefined });
    await write(".git-blame-ignore-revs", `# Shouting\n${hashes[1]}\n`);
    expect(await blamed()).toEqual({
      commits: [hashes[0]],
      note: "The commits in .git-blame-ignore-revs are passed over.",
    });
    await write(".git-blame-ignore-revs", "# none any more\n");
    expect((await blamed()).commits).toEqual([hashes[1]]);
  });

  test("is answered without the file if git cannot read it", async () => {
    await write(".git-blame-ignore-revs", "not a hash\n");
    expect(await blamed()).toEqual({ commits: [hashes[1]], note: undefined });
  });
});

describe("a search for changed text that takes too long", () => {
  const ANYWHERE = { text: "needle", path: "", follow: false };
  const search = async (cache: ByteCache, searchMs: number, enough = 10, what = ANYWHERE) => {
    const repo = await fixture.workspace.find("code");
    const reports: string[] = [];
    const progress = (_: number, __: number, message: string) => reports.push(message);
    const selection = [hashes[2] as string];
    const options = {
      ...what,
      selection,
      enough,
      depends: "-",
      searchMs,
      firstStep: 1,
      progress,
    };
    const found = await commitsWithChangedText(repo, options, new AbortController().signal, cache);
    return { ...found, commits: found.commits.map(({ subject }) => subject), reports };
  };

  test("stops after a step, the next call goes on there, and the whole result is kept", async () => {
    await settledFiles();
    const cache = new ByteCache(1_000_000);
    const move = { commits: ["Move it"], total: 3, isComplete: false };
    expect(await search(cache, -1)).toEqual({
      ...move,
      searched: 1,
      last: hashes[2],
      reports: ["searched 0 of 3 commits"],
    });
    expect(await search(cache, -1)).toMatchObject({
      ...move,
      searched: 2,
      reports: ["searched 1 of 3 commits"],
    });
    expect(await search(cache, 60_000)).toMatchObject({ commits: ["Move it", "Sample"], isComplete: true });
    expect(await programsOf(() => search(cache, -1))).toEqual([]);
  });

  test("follows a file through its renames from step to step", async () => {
    const what = { text: "two", path: "b.txt", follow: true };
    const cache = new ByteCache(1_000_000);
    const steps = [];
    for (let n = 0; n < 3; n++) steps.push((await search(cache, -1, 10, what)).commits);
    const [before, first] = ["Shout the second line", "Sample"];
    expect(steps).toEqual([[], [before], [before, first]]);
  });

  test("ends as soon as it has enough commits", async () => {
    expect(await search(new ByteCache(1_000_000), 60_000, 1)).toMatchObject({
      commits: ["Move it"],
      searched: 1,
    });
  });
});

describe("forge", () => {
  test.each([
    ["git@github.com:o/n.git", "https://github.com/o/n"],
    ["https://u:p@gitlab.example.com:8443/g/s/n.git/", "https://gitlab.example.com:8443/g/s/n"],
    ["ssh://git@codeberg.org:2222/o/n", "https://codeberg.org/o/n"],
    ["/srv/git/n.git", undefined],
    ["../n", undefined],
    ["file:///srv/n", undefined],
  ])("%s has the page %s", (remote, page) => {
    expect(webAddress(remote)).toBe(page);
  });

  test.each([
    ["https://github.com/o/n", "https://github.com/o/n/blob/abc/a%20b/c.ts#L1-L2"],
    ["https://gitlab.com/o/n", "https://gitlab.com/o/n/-/blob/abc/a%20b/c.ts#L1-2"],
    ["https://codeberg.org/o/n", "https://codeberg.org/o/n/src/commit/abc/a%20b/c.ts#L1-L2"],
    ["https://bitbucket.org/o/n", "https://bitbucket.org/o/n/src/abc/a%20b/c.ts#lines-1:2"],
    ["https://git.sr.ht/~o/n", "https://git.sr.ht/~o/n/tree/abc/item/a%20b/c.ts#L1-2"],
  ])("lines at %s", (remote, url) => {
    const forge = forgeOf(remote);
    expect(forge && lineUrl(forge, "abc", "a b/c.ts", 1, 2)).toBe(url);
  });

  test("a host of unknown kind has no links", () => {
    expect(forgeOf("https://git.example.com/o/n")).toBeUndefined();
  });
});
