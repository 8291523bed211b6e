import { execFile } from "node:child_process";
import { appendFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listingOf } from "../../../../server/workspace/git/listing.ts";
import { endIdleReaders } from "../../../../server/workspace/git/objects.ts";
import { stateOf } from "../../../../server/workspace/git/state.ts";
import { parentsOf } from "../../../../server/workspace/history.ts";
import { refsOf } from "../../../../server/workspace/refs.ts";
import { fileAt, resolveRevision } from "../../../../server/workspace/revisions.ts";
import { Workspace } from "../../../../server/workspace/workspace.ts";
import { programsOf, settledFiles } from "../../programs.ts";
import { makeRepository, temporaryFolder } from "../../support.ts";

const run = promisify(execFile);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
const git = async (...args: string[]) => {
  const as = ["-c", "user.name=Test", "-c", "user.email=test@example.test", "-C", root];
  return (await run("git", [...as, ...args])).stdout.trim();
};
const write = (path: string, text: string | Buffer = "") => writeFile(join(root, path), text);

beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, "code");
  await makeRepository(root);
});
afterEach(() => {
  endIdleReaders();
  return folder.remove();
});

describe("listing", () => {
  const listedByGit = async () =>
    (await git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"))
      .split("\0")
      .filter(Boolean)
      .sort();
  const check = async () => {
    const { sorted } = await listingOf(root);
    expect(sorted).toEqual(await listedByGit());
    return sorted;
  };

  test("is the same as git's after each kind of change, and starts no program without one", async () => {
    const changes: (() => Promise<unknown>)[] = [
      () => write("new.ts"),
      () => write("src/deep/new.ts"),
      () => mkdir(join(root, "empty/in/empty"), { recursive: true }),
      () => write("empty/in/empty/first.ts"),
      () => write("secret.env", "changed"),
      () => mkdir(join(root, "node_modules/a"), { recursive: true }),
      () => write("node_modules/a/index.js"),
      () => write("src/.gitignore", "new.*\n"),
      () => write("src/deep/ignored.log"),
      () => appendFile(join(root, ".gitignore"), "*.log\n"),
      () => write("src/.gitignore", "# nothing\n"),
      () => write(".git/info/exclude", "empty/\n"),
      () => git("add", "new.ts"),
      () => git("rm", "--quiet", "--cached", "README.md"),
      () => rm(join(root, "new.ts")),
      () => rename(join(root, "src/main.ts"), join(root, "src/Main.ts")),
      () => symlink("src", join(root, "link")),
      () => git("init", "--quiet", "nested"),
      () => write("nested/file.ts"),
      () => run("git", ["-C", join(root, "nested"), "add", "."]),
      () =>
        run("git", [
          ...["-C", join(root, "nested"), "-c", "user.name=T", "-c", "user.email=t@example.test"],
          ...["commit", "--quiet", "--message=First"],
        ]),
      () => rename(join(root, "nested/.git"), join(root, "nested/not-git")),
      () => rm(join(root, "src"), { recursive: true }),
    ];
    for (const change of changes) {
      await check();
      await settledFiles();
      await listingOf(root);
      expect(await programsOf(() => listingOf(root))).toEqual([]);
      await change();
      await check();
    }
  });

  test("knows what git does not track, and the attribute files", async () => {
    await write(".gitattributes", "*.bin binary\n");
    const { untracked, attributes } = await listingOf(root);
    expect({ untracked, attributes }).toEqual({
      untracked: [".gitattributes"],
      attributes: [join(root, ".gitattributes")],
    });
  });
});

describe("state", () => {
  test("follows commits, branches, tags, packing and a detached HEAD, and starts no program without a change", async () => {
    const [repo] = await new Workspace({ kind: "folder", dir: folder.path }).repositories();
    if (!repo) throw new Error("no repository");
    const commit = () => git("commit", "--quiet", "--allow-empty", "--message=More");
    const first = await git("rev-parse", "HEAD");
    const changes: (() => Promise<unknown>)[] = [
      commit,
      () => git("tag", "v1"),
      () => git("branch", "topic/one"),
      () => git("pack-refs", "--all"),
      commit,
      () => git("switch", "--quiet", "topic/one"),
      commit,
      () => git("update-ref", "refs/heads/topic/one", first),
      () => git("checkout", "--quiet", "--detach"),
      () => git("branch", "--quiet", "--delete", "--force", "topic/one"),
      () => git("tag", "--delete", "v1"),
    ];
    const known = async () => ({
      head: (await stateOf(root)).head,
      branch: (await stateOf(root)).branch,
      main: await resolveRevision(repo, "main"),
      refs: (await refsOf(repo)).map(({ full }) => full).sort(),
    });
    for (const change of changes) {
      await change();
      expect(await known()).toEqual({
        head: await git("rev-parse", "HEAD"),
        branch: await git("symbolic-ref", "--quiet", "--short", "HEAD").catch(() => ""),
        main: await git("rev-parse", "main"),
        refs: (await git("for-each-ref", "--format=%(refname)")).split("\n").sort(),
      });
      await settledFiles();
      await known();
      expect(await programsOf(known)).toEqual([]);
    }
  });
});

describe("results by commit", () => {
  test("follow the shallow boundary, replaced commits and grafts", async () => {
    const [repo] = await new Workspace({ kind: "folder", dir: folder.path }).repositories();
    if (!repo) throw new Error("no repository");
    const first = await git("rev-parse", "HEAD");
    await git("commit", "--quiet", "--allow-empty", "--message=More");
    const commit = await git("rev-parse", "HEAD");
    const parents = () => parentsOf(repo, commit);
    const changes: [() => Promise<unknown>, string[]][] = [
      [() => Promise.resolve(), [first]],
      [() => write(".git/shallow", `${commit}\n`), []],
      [() => rm(join(root, ".git/shallow")), [first]],
      [() => git("replace", "--graft", commit), []],
      [() => git("pack-refs", "--all"), []],
      [() => git("replace", "--delete", commit), [first]],
      [() => write(".git/info/grafts", `${commit}\n`), []],
    ];
    for (const [change, expected] of changes) {
      await change();
      expect(await parents()).toEqual(expected);
      await settledFiles();
      await parents();
      expect(await programsOf(parents)).toEqual([]);
    }
  });
});

describe("objects", () => {
  const one = async () => {
    const [repo] = await new Workspace({ kind: "folder", dir: folder.path }).repositories();
    if (!repo) throw new Error("no repository");
    return repo;
  };
  const textAt = async (commit: string, path: string, maxBytes = 1_000) =>
    (await fileAt(await one(), commit, path, maxBytes)).bytes.toString();

  test("are read by one process, also at the same time, in their binary form, and in a repository with SHA-256", async () => {
    await rm(root, { recursive: true });
    await run("git", ["init", "--quiet", "--object-format=sha256", "--initial-branch=main", root]);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 256));
    await write("binary.dat", bytes);
    await mkdir(join(root, "folder"));
    await write("folder/odd\nname", "odd");
    await write("folder/empty");
    await git("add", "--all");
    await git("commit", "--quiet", "--message=First");
    await settledFiles();
    const commit = await resolveRevision(await one(), "main");
    expect(commit).toMatch(/^[0-9a-f]{64}$/);
    const started = await programsOf(async () => {
      const { bytes: read } = await fileAt(await one(), commit, "binary.dat", 300_000);
      expect(read.equals(bytes)).toBe(true);
      expect(await textAt(commit, "folder/empty")).toBe("");
      expect(await resolveRevision(await one(), commit.slice(0, 10))).toBe(commit);
    });
    expect(started).toEqual([]);
    expect(await textAt(commit, "folder/odd\nname")).toBe("odd");
    const all = await Promise.all(
      ["HEAD", "main", "main~0", "HEAD^0"].map(async (r) => resolveRevision(await one(), r)),
    );
    expect(new Set(all)).toEqual(new Set([commit]));
  });

  test("that are missing, too large, or no file are refused, and the next request succeeds", async () => {
    await symlink("README.md", join(root, "link"));
    await git("add", "link");
    await git("commit", "--quiet", "--message=Link");
    const commit = await git("rev-parse", "HEAD");
    await expect(textAt(commit, "missing.md")).rejects.toThrow("is not in repository code");
    await expect(textAt(commit, "README.md", 5)).rejects.toThrow("more than the limit of 5");
    await expect(textAt(commit, "src")).rejects.toThrow("is a folder");
    await expect(textAt(commit, "link")).rejects.toThrow("is a symbolic link");
    await expect(resolveRevision(await one(), "no such name")).rejects.toThrow(
      'has no commit "no such name"',
    );
    expect(await textAt(commit, "README.md")).toContain("# Sample");
  });

  test("are read by a new process after a cancelled request and after a change of the history", async () => {
    await settledFiles();
    const commit = await resolveRevision(await one(), "HEAD");
    await expect(
      fileAt(await one(), commit, "README.md", 1_000, AbortSignal.abort(new Error("cancelled"))),
    ).rejects.toThrow("cancelled");
    expect(await textAt(commit, "README.md")).toContain("# Sample");
    await git("commit", "--quiet", "--allow-empty", "--message=More");
    expect(await resolveRevision(await one(), "HEAD~1")).toBe(commit);
    endIdleReaders();
    await settledFiles();
    await resolveRevision(await one(), "HEAD~0");
    expect(await programsOf(() => textAt(commit, "README.md"))).toEqual([]);
    endIdleReaders();
    expect(await programsOf(() => textAt(commit, "README.md"))).toHaveLength(1);
  });
});
