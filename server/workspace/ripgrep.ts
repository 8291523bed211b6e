import { access, constants } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runChild } from "./child.ts";

/**
 * The path of ripgrep: RIPGREP_PATH, else `rg` next to this Node (a release has both), else that of the npm package.
 *
 * @throws Error that says how to install it, if there is none
 */
export async function findRipgrep(
  configured: string | undefined,
  execPath = process.execPath,
): Promise<string> {
  const tried: string[] = [];
  for (const candidate of [configured, join(dirname(execPath), "rg"), await packaged()]) {
    if (!candidate) continue;
    if (await executable(candidate)) return candidate;
    tried.push(candidate);
    if (candidate === configured) break;
  }
  throw new Error(
    `ripgrep is missing (tried ${tried.join(", ")}); set RIPGREP_PATH to an rg, or run: npm ci`,
  );
}

/** Checks that the binary runs on this machine. @returns its version line */
export async function ripgrepVersion(file: string): Promise<string> {
  const result = await runChild(file, ["--version"], { cwd: "/", timeoutMs: 5_000 });
  if (result.code !== 0)
    throw new Error(`${file} --version ended with ${result.code}: ${result.stderr.trim()}`);
  return result.stdout.toString().split("\n")[0] ?? "";
}

/** The bundle of a release does not contain this package. There the import fails, and the binary next to Node is used. */
async function packaged(): Promise<string | undefined> {
  try {
    return (await import("@vscode/ripgrep")).rgPath;
  } catch {
    return undefined;
  }
}

async function executable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
