import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ReadinessProbe } from "../../../server/http/readiness.ts";
import { asCaller } from "../../../server/shares/caller.ts";
import { workspaceCheck } from "../../../server/workspace/check.ts";
import { runChild } from "../../../server/workspace/child.ts";
import { Workspace } from "../../../server/workspace/workspace.ts";
import { makeRepository, temporaryFolder } from "../support.ts";

const about = () => ({ draining: false, release: "r", colour: "blue" });
const noSync = { describe: () => "" };

test("the check runs git once, without waiting for busy callers, and then starts no program", async () => {
  const folder = await temporaryFolder();
  const stop = new AbortController();
  try {
    const root = join(folder.path, "sample");
    await makeRepository(root);
    const check = workspaceCheck(new Workspace({ kind: "folder", dir: folder.path }), noSync);
    const busy = Array.from({ length: 12 }, (_, n) =>
      asCaller(`caller ${n}`, () =>
        runChild("/bin/sh", ["-c", "exec sleep 600"], { cwd: "/", timeoutMs: 100_000, signal: stop.signal }),
      ).catch(() => undefined),
    );
    expect(await check()).toBe(`1 repositories in ${folder.path}`);
    // git cannot read the repository any more. The index reports that, not this check.
    await rm(join(root, ".git", "HEAD"));
    expect(await check()).toBe(`1 repositories in ${folder.path}`);
    const first = workspaceCheck(new Workspace({ kind: "folder", dir: folder.path }), noSync);
    await expect(first()).rejects.toThrow(/git can read none of .*sample/);
    stop.abort();
    await Promise.all(busy);
    await rm(root, { recursive: true });
    await expect(check()).rejects.toThrow(/no git repository in/);
  } finally {
    stop.abort();
    await folder.remove();
  }
});

test("a check that hangs is not started a second time", async () => {
  let runs = 0;
  let go = () => {};
  const run = () => {
    runs++;
    return new Promise<string>((resolve) => {
      go = () => resolve("well");
    });
  };
  const probe = new ReadinessProbe([{ name: "slow", run }], about, 0);
  const probes = [probe.probe(), probe.probe()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  probes.push(probe.probe());
  expect(runs).toBe(1);
  go();
  expect((await Promise.all(probes)).map((state) => state.ready)).toEqual([true, true, true]);
  void probe.probe();
  expect(runs).toBe(2);
  go();
});
