import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { tryLock, withLock } from "../../server/lock.ts";
import { temporaryFolder } from "./support.ts";

const LOCK = new URL("../../server/lock.ts", import.meta.url).href;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "lock");
});
afterAll(() => folder.remove());

/** A process that runs `code` with `tryLock` and `withLock` at hand. */
function run(code: string) {
  const child = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `import { tryLock, withLock } from "${LOCK}"; ${code}`,
  ]);
  child.stderr.pipe(process.stderr);
  return child;
}

test("a lock excludes this process and others until its holder is killed", async () => {
  const file = join(folder.path, "killed");
  const holder = run(
    `await tryLock(${JSON.stringify(file)}); process.stdout.write("held"); setInterval(() => 0, 1000);`,
  );
  await once(holder.stdout, "data");
  expect(await tryLock(file)).toBeUndefined();
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const release = await tryLock(file);
  expect(release).toBeDefined();
  expect(await tryLock(file)).toBeUndefined();
  const other = run(`process.exit((await tryLock(${JSON.stringify(file)})) ? 1 : 0);`);
  expect(await once(other, "exit")).toEqual([0, null]);
  release?.();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("no update by several processes under the lock is lost", async () => {
  const counter = join(folder.path, "counter");
  await writeFile(counter, "0");
  // A file that a killed command of an earlier release left in the place of the lock is no obstacle.
  await writeFile(file, "");
  const code = `
    import { readFileSync, writeFileSync } from "node:fs";
    for (let i = 0; i < 10; i++)
      await withLock(${JSON.stringify(file)}, 100_000, async () => {
        const n = Number(readFileSync(${JSON.stringify(counter)}, "utf8"));
        await new Promise((r) => setTimeout(r, 2));
        writeFileSync(${JSON.stringify(counter)}, String(n + 1));
      });`;
  const exits = await Promise.all([1, 2, 3].map(() => once(run(code), "exit")));
  expect(exits.map(([status]) => status)).toEqual([0, 0, 0]);
  expect(await readFile(counter, "utf8")).toBe("30");
});

test("waiting for a lock ends with an error that names the file, and the lock is released after a failure", async () => {
  const file = join(folder.path, "failing");
  const fails = withLock(file, 0, async () => {
    await expect(withLock(file, 100, async () => "never")).rejects.toThrow(`${file} for 0.1 s`);
    throw new Error("the work's own");
  });
  await expect(fails).rejects.toThrow("the work's own");
  expect(await withLock(file, 0, async () => "done")).toBe("done");
});
