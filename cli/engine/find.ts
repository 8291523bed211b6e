import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { run } from "../../infra/exec.ts";
import { cacheFolder } from "../../infra/paths.ts";

/** The engine release that is downloaded or built if the host has none. The SDK in package.json has the same minor version. */
export const ENGINE_VERSION = "3.250.0";

/** Older engines lack features of the program (typed configuration, hooks) and are skipped. */
const OLDEST = [3, 200] as const;

export interface Engine {
  /** Folder with `pulumi` in it. */
  folder: string;
  version: string;
  origin: "PATH" | "cache" | "download" | "build";
}

/** The folder of the downloaded or built engine. */
export const engineFolder = () =>
  cacheFolder("engine", `v${ENGINE_VERSION}-${process.platform}-${process.arch}`);

export async function versionOf(pulumi: string): Promise<string | undefined> {
  const env = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { stdout } = await run(pulumi, ["version"], { env, timeout: 15_000 }).catch(() => ({ stdout: "" }));
  return /^v?(\d+\.\d+\.\d+)/.exec(stdout.trim())?.[1];
}

export function recentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** An engine on PATH, else the one in the cache. */
export async function findEngine(
  path = process.env.PATH ?? "",
  cached = engineFolder(),
): Promise<Engine | undefined> {
  // npm puts node_modules/.bin first on PATH. No package there contains the engine.
  const folders = path.split(delimiter).filter((folder) => folder && !folder.includes("node_modules"));
  for (const [folder, origin] of [...folders.map((f) => [f, "PATH"] as const), [cached, "cache"] as const]) {
    const pulumi = join(folder, "pulumi");
    if (!existsSync(pulumi)) continue;
    const version = await versionOf(pulumi);
    if (version && recentEnough(version)) return { folder: dirname(pulumi), version, origin };
  }
  return undefined;
}
