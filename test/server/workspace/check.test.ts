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

test("git reads the workspace once, beside callers that wait for places; later no program is started", async () => {
  const folder = await temporaryFolder();
  const stop = new AbortController();
  try {
    const root = join(folder.path, "sample");
    await makeRepository(root);
    const check = workspaceCheck(new Workspace({ kind: "folder", dir: folder.path }), noSync);
    const busy = Array.from({ length: 12 }, (_, n) =>
      asCaller(`caller ${n}`, () =>
        runChild("/bin/sh", ["-c", "exec sleep 600"], { cwd: "/", timeoutMs: 20_000, signal: stop.signal }),
      ).catch(() => undefined),
    );
    expect(await check()).toBe(`1 repositories in ${folder.path}`);
    // git could not read it any more; that is for the index to find out.
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

test("a check that hangs is not run a second time beside itself", async () => {
  let runs = 0;
  let go = () => {};
  const run = () => {
    runs++;
    return new Promise<string>((resolve) => {
      go = () => resolve("well");
    });
  };
  const probe = new ReadinessProbe([{ name: "slow", run }], about, 0);
  const asked = [probe.probe(), probe.probe()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  asked.push(probe.probe());
  expect(runs).toBe(1);
  go();
  expect((await Promise.all(asked)).map((state) => state.ready)).toEqual([true, true, true]);
  void probe.probe();
  expect(runs).toBe(2);
  go();
});
