import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { bundleOf, resolveWorkspace } from "../../infra/workspace.ts";
import { makeRepository } from "../server/support.ts";

let folder: string;
let origin: string;
const git = (root: string, ...args: string[]) =>
  run("git", ["-c", "user.name=T", "-c", "user.email=t@example.test", "-C", root, ...args]);
/** A checkout of the origin, in a folder of its own. */
const checkout = async (name: string, ...options: string[]) => {
  const to = join(folder, name);
  await run("git", ["clone", "--quiet", ...options, `file://${origin}`, to]);
  return to;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-workspace-"));
  process.env.MCP_EDGE_CACHE = join(folder, "cache");
  origin = join(folder, "origin");
  await makeRepository(origin);
  await git(origin, "tag", "v1");
  await git(origin, "branch", "feature/x");
  await writeFile(join(origin, "README.md"), "second\n");
  await git(origin, "commit", "--quiet", "--all", "--message=Second");
  await git(origin, "tag", "--annotate", "--message=Deployed", "deployed/prod");
});
const cacheBefore = process.env.MCP_EDGE_CACHE;
afterAll(async () => {
  if (cacheBefore === undefined) delete process.env.MCP_EDGE_CACHE;
  else process.env.MCP_EDGE_CACHE = cacheBefore;
  await rm(folder, { recursive: true });
});

describe("the pushed workspace", () => {
  test("has the same bytes for every checkout of a commit, with any other files in it", async () => {
    const { identity } = await resolveWorkspace(origin);
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
    const full = await checkout("full");
    const detached = await checkout("detached", "--branch=deployed/prod");
    const single = await checkout("single", "--single-branch", "--no-tags");
    const packed = await checkout("packed", "--no-hardlinks");
    await git(packed, "gc", "--quiet", "--aggressive");
    const busy = await checkout("busy");
    await git(busy, "branch", "wip");
    await git(busy, "tag", "mine");
    await writeFile(join(busy, "README.md"), "not committed\n");
    for (const each of [full, detached, single, packed, busy])
      expect((await resolveWorkspace(each)).identity).toBe(identity);
    await git(busy, "commit", "--quiet", "--all", "--message=Third");
    expect((await resolveWorkspace(busy)).identity).not.toBe(identity);
  });

  test("has HEAD and its history by default, or the named refs", async () => {
    const refsIn = async (refs?: string[]) => {
      const bundle = await bundleOf(await resolveWorkspace(origin, refs));
      return (await run("git", ["bundle", "list-heads", bundle])).stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[1]);
    };
    expect(await refsIn()).toEqual(["HEAD"]);
    expect(await refsIn(["main", "v*"])).toEqual(["HEAD", "refs/heads/main", "refs/tags/v1"]);
    expect(await refsIn(["feature/*"])).toEqual(["HEAD", "refs/heads/feature/x"]);
    expect((await refsIn(["*"])).sort()).toEqual([
      "HEAD",
      "refs/heads/feature/x",
      "refs/heads/main",
      "refs/tags/deployed/prod",
      "refs/tags/v1",
    ]);
    const bundle = await bundleOf(await resolveWorkspace(origin));
    await run("git", ["clone", "--quiet", bundle, join(folder, "from-bundle")]);
    expect((await git(join(folder, "from-bundle"), "log", "--format=%s")).stdout).toBe("Second\nSample");
  });

  test("changes with a pushed ref, and is written once", async () => {
    const before = await resolveWorkspace(origin, ["*"]);
    const file = await bundleOf(before);
    expect(await bundleOf(before)).toBe(file);
    await git(origin, "tag", "v2");
    expect((await resolveWorkspace(origin, ["*"])).identity).not.toBe(before.identity);
    await git(origin, "tag", "--delete", "v2");
  });
});

describe("a folder that cannot be pushed is refused with the solution", () => {
  test.each([
    ["depth 1", ["--depth=1"]],
    ["a tag at depth 1", ["--depth=1", "--branch=deployed/prod"]],
    ["all branches at depth 1", ["--depth=1", "--no-single-branch"]],
  ])("a shallow clone: %s", async (name, options) => {
    const shallow = await checkout(`shallow ${name}`, ...options);
    await expect(resolveWorkspace(shallow)).rejects.toThrow(
      `is a shallow clone, of which the machine cannot make a repository. Get the whole history: git -C ${shallow} fetch --unshallow`,
    );
    await git(shallow, "fetch", "--quiet", "--unshallow");
    expect((await resolveWorkspace(shallow)).identity).toBe((await resolveWorkspace(origin)).identity);
  });

  test("a folder without a repository, a commit or the named branch", async () => {
    await expect(resolveWorkspace(folder)).rejects.toThrow("is not a git repository");
    await run("git", ["init", "--quiet", join(folder, "empty")]);
    await expect(resolveWorkspace(join(folder, "empty"))).rejects.toThrow("has no commit yet");
    await expect(resolveWorkspace(origin, ["nowhere"])).rejects.toThrow(
      `has no branch or tag nowhere, which workspaceRefs names. Make it: git -C ${origin} branch nowhere origin/nowhere`,
    );
  });
});
