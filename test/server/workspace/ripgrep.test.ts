import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findRipgrep, ripgrepVersion } from "../../../server/workspace/ripgrep.ts";
import { temporaryFolder } from "../support.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

async function program(name: string): Promise<string> {
  const file = join(folder.path, name);
  await writeFile(file, "#!/bin/sh\nexit 7\n");
  await chmod(file, 0o755);
  return file;
}

describe("findRipgrep", () => {
  test("looks at RIPGREP_PATH, then beside Node, then in the package", async () => {
    const besideNode = await program("rg");
    const configured = await program("other-rg");
    const node = join(folder.path, "node");
    expect(await findRipgrep(configured, node)).toBe(configured);
    expect(await findRipgrep(undefined, node)).toBe(besideNode);
    const packaged = await findRipgrep(undefined, "/nonexistent/node");
    expect(packaged).toContain("@vscode");
    expect(await ripgrepVersion(packaged)).toMatch(/^ripgrep \d+/);
  });

  test("fails if the configured ripgrep is missing, instead of using another", async () => {
    await expect(findRipgrep("/nonexistent/rg")).rejects.toThrow("tried /nonexistent/rg");
  });

  test("fails for a ripgrep that does not run", async () => {
    await expect(ripgrepVersion(await program("rg"))).rejects.toThrow("--version ended with 7");
  });
});
