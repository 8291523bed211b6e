import { execFile } from "node:child_process";
import { appendFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listingOf } from "../../../../server/workspace/git/listing.ts";
import { stateOf } from "../../../../server/workspace/git/state.ts";
import { refsOf } from "../../../../server/workspace/refs.ts";
import { resolveRevision } from "../../../../server/workspace/revisions.ts";
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
const write = (path: string, text = "") => writeFile(join(root, path), text);

beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, "code");
  await makeRepository(root);
});
afterEach(() => folder.remove());

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
