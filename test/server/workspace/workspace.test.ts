import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Workspace } from "../../../server/workspace/workspace.ts";
import { makeRepository, temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let workspace: Workspace;
const repo = () => workspace.find("code");
beforeEach(async () => {
  folder = await temporaryFolder();
  const root = join(folder.path, "code");
  await makeRepository(root);
  await mkdir(join(root, "node_modules"));
  for (let n = 0; n < 100; n++) await writeFile(join(root, "node_modules", `${n}.js`), "");
  workspace = new Workspace({ kind: "folder", dir: folder.path });
});
afterEach(() => folder.remove());

describe("shows", () => {
  test("what is ignored or missing leaves the listing that others use, and asks git nothing", async () => {
    const code = await repo();
    // Listed after the files were made.
    const now = Date.now() + 1_000;
    const listing = workspace.files(code, now);
    await listing;
    // Any further question to git would fail.
    await rename(join(code.root, ".git"), join(folder.path, "away"));
    for (let n = 0; n < 100; n++)
      expect(await workspace.shows(code, `node_modules/${n}.js`, now)).toBe(false);
    for (const path of ["secret.env", "nowhere.txt", "node_modules", "src/main.ts/x"])
      expect(await workspace.shows(code, path, now)).toBe(false);
    expect(await workspace.shows(code, "README.md", now)).toBe(true);
    expect(workspace.files(code, now)).toBe(listing);
  });

  test("a file that was made or renamed since is seen at once, an ignored one is not", async () => {
    const code = await repo();
    const now = Date.now();
    const listing = workspace.files(code, now);
    await listing;
    await writeFile(join(code.root, "odd [name]*.ts"), "");
    await writeFile(join(code.root, "node_modules", "new.js"), "");
    await rename(join(code.root, "README.md"), join(code.root, "READ.md"));
    expect(await workspace.shows(code, "odd [name]*.ts", now)).toBe(true);
    expect(await workspace.shows(code, "READ.md", now)).toBe(true);
    expect(await workspace.shows(code, "node_modules/new.js", now)).toBe(false);
    expect(workspace.files(code, now)).toBe(listing);
  });

  test("after two seconds git lists again", async () => {
    const code = await repo();
    const now = Date.now();
    const listing = workspace.files(code, now);
    await listing;
    await writeFile(join(code.root, "new.ts"), "");
    expect([...(await workspace.files(code, now + 2_001))]).toContain("new.ts");
  });
});
