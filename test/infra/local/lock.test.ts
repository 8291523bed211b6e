import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { withLock } from "../../../infra/local/lock.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("withLock", () => {
  test("runs one function at a time, and removes its file", async () => {
    const file = join(folder, "a");
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((done) => setTimeout(done, 20));
      inside -= 1;
    };
    await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)]);
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test("takes over the lock of a dead process", async () => {
    const file = join(folder, "b");
    await writeFile(file, "4194304"); // above the kernel's largest process id
    await expect(withLock(file, async () => "done")).resolves.toBe("done");
  });

  test("names the holder at the time limit", async () => {
    const file = join(folder, "c");
    await writeFile(file, String(process.pid));
    await expect(withLock(file, async () => "never", 100)).rejects.toThrow(`held by process ${process.pid}`);
  });
});
