import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** Pinned: figures of different days are comparable. */
const PACKAGES = ["fastmcp==4.1.2", "fastapi==0.165.0", "hypercorn==0.18.0"];

/** A Python with the peer's packages, made once in the cache. @throws Error where there is no Python 3 */
export async function peerPython(log: (line: string) => void): Promise<string> {
  const folder = cacheFolder("bench", PACKAGES.join("+"));
  const python = join(folder, "bin/python");
  const whole = join(folder, "whole");
  if (existsSync(whole)) return python;
  log(`the peer: ${PACKAGES.join(", ")}`);
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
  await run("touch", [whole]);
  return python;
}
