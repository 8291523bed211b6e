import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../infra/paths.ts";

const SCIP_PYTHON = "@sourcegraph/scip-python@0.6.6";

/** The `index.js` of scip-python, downloaded once. Its package contains all that it needs. */
export async function scipPython(): Promise<string> {
  const folder = join(cacheFolder("indexers"), "scip-python-0.6.6");
  const program = join(folder, "package/index.js");
  if (existsSync(program)) return program;
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    const { stdout } = await execa("npm", ["pack", "--silent", SCIP_PYTHON], { cwd: partial });
    await execa("tar", ["-xzf", stdout.trim().split("\n").at(-1) ?? ""], { cwd: partial });
    await rename(partial, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(program)) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return program;
}
