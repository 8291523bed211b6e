import { execFile } from "node:child_process";
import { mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openResolved } from "../../../server/workspace/open-resolved.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "repo", "src"), { recursive: true });
  await mkdir(join(folder.path, "secret"));
  for (const name of ["repo/src/a.txt", "secret/a.txt"]) await writeFile(join(folder.path, name), name);
});
afterEach(() => folder.remove());

test("opens a file by its real path", async () => {
  await using handle = await openResolved(join(folder.path, "repo/src/a.txt"));
  expect(await handle.readFile("utf8")).toBe("repo/src/a.txt");
});

// As if a folder was replaced by a link between the check and the open.
test.each([
  ["the file is a link now", "repo/link.txt", "../secret/a.txt", "repo/link.txt"],
  ["its folder is a link out", "repo/out", "../secret", "repo/out/a.txt"],
  ["its folder is a link inside", "repo/in", "src", "repo/in/a.txt"],
])("refuses when %s, and leaves no file open", async (_, link, target, path) => {
  await symlink(target, join(folder.path, link));
  await expect(openResolved(join(folder.path, path))).rejects.toMatchObject({ code: "ELOOP" });
  // What else this process opens and closes meanwhile does not count.
  const open = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  expect((await Promise.all(open)).filter((file) => file.startsWith(folder.path))).toEqual([]);
});

test("opens a pipe without waiting for a writer", async () => {
  await promisify(execFile)("mkfifo", [join(folder.path, "pipe")]);
  await (await openResolved(join(folder.path, "pipe"))).close();
});
