import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../../infra/exec.ts";
import { onPath } from "../../../infra/local/host.ts";
import { withLock } from "../../../infra/local/lock.ts";
import { cacheFolder } from "../../../infra/paths.ts";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");

/** Why the Python clients cannot run here, or undefined. */
export function whyNoPython(): string | undefined {
  return onPath("python3") ? undefined : "there is no python3; install it: apt-get install python3-venv";
}

/** A Python with the clients of requirements.txt in it, made once. @returns its path */
export async function pythonWithClients(): Promise<string> {
  const { stdout: version } = await run("python3", ["--version"]);
  const made = createHash("sha256").update(version).update(readFileSync(REQUIREMENTS)).digest("hex");
  const folder = cacheFolder("programs");
  const venv = join(folder, `python-${made.slice(0, 16)}`);
  const python = join(venv, "bin", "python");
  // A virtual environment holds its own path, so it cannot be renamed into its place; this file says that it is whole.
  const whole = join(venv, "whole");
  await withLock(`${venv}.lock`, async () => {
    if (existsSync(whole)) return;
    await rm(venv, { recursive: true, force: true });
    await run("python3", ["-m", "venv", venv], { timeout: 120_000 });
    await run(python, ["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS], {
      timeout: 400_000,
    });
    await writeFile(whole, "");
  });
  return python;
}
