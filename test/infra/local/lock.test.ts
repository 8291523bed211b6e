import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { withLock } from "../../../infra/local/lock.ts";
import { projectRoot } from "../../../infra/paths.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A process that holds the lock until it is killed. @returns kills it */
async function holder(file: string): Promise<() => Promise<unknown>> {
  const script = `const { withLock } = await import(${JSON.stringify(join(projectRoot, "infra/local/lock.ts"))});
    await withLock(${JSON.stringify(file)}, () => new Promise((never) => { console.log("held"); setTimeout(never, 3600000); }));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return () => {
    child.kill("SIGKILL");
    return once(child, "exit");
  };
}

describe("withLock", () => {
  test("runs one function at a time", async () => {
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
  });

  test("names the file at the time limit, and gets the lock of a process that was killed", async () => {
    const file = join(folder, "b");
    const kill = await holder(file);
    try {
      await expect(withLock(file, async () => "never", 100)).rejects.toThrow(`fuser -v ${file}`);
    } finally {
      await kill();
    }
    await expect(withLock(file, async () => "done", 60_000)).resolves.toBe("done");
  });

  test("ignores the file that a killed command of an earlier release left", async () => {
    const file = join(folder, "d");
    await writeFile(file, "4194304");
    await expect(withLock(file, async () => "done", 60_000)).resolves.toBe("done");
  });

  test("is released by work that fails", async () => {
    const file = join(folder, "c");
    await expect(withLock(file, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(withLock(file, async () => "done", 0)).resolves.toBe("done");
  });
});
