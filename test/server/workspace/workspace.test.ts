import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Workspace } from "../../../server/workspace/workspace.ts";
import { makeRepository, temporaryFolder } from "../support.ts";
import { stopTimers } from "../timers.ts";

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
  // A listing is forgotten after two seconds, which a busy host may need for a test. The tests say what time it is.
  stopTimers();
});
afterEach(() => {
  jest.useRealTimers();
  return folder.remove();
});

describe("shows", () => {
  test("answers for ignored and missing files from the current listing, without running git", async () => {
    const code = await repo();
    // The listing is newer than the files.
    const now = Date.now() + 1_000;
    const listing = workspace.files(code, now);
    await listing;
    // Any further git command would fail.
    await rename(join(code.root, ".git"), join(folder.path, "away"));
    for (let n = 0; n < 100; n++)
      expect(await workspace.shows(code, `node_modules/${n}.js`, now)).toBe(false);
    for (const path of ["secret.env", "nowhere.txt", "node_modules", "src/main.ts/x"])
      expect(await workspace.shows(code, path, now)).toBe(false);
    expect(await workspace.shows(code, "README.md", now)).toBe(true);
    expect(workspace.files(code, now)).toBe(listing);
  });

  test("finds a file that was created or renamed after the listing, but no ignored one", async () => {
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

  test("lists again after two seconds", async () => {
    const code = await repo();
    const now = Date.now();
    const listing = workspace.files(code, now);
    await listing;
    await writeFile(join(code.root, "new.ts"), "");
    expect([...(await workspace.files(code, now + 2_001))]).toContain("new.ts");
  });
});
