import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "./exec.ts";
import { cacheFolder, projectRoot } from "./paths.ts";

/** As Node names processors. */
export type Arch = "x64" | "arm64";

export interface NativeParts {
  /** Path of Node for Linux. */
  node: string;
  /** Path of ripgrep for Linux. */
  rg: string;
  /** Folder of the structural search's addon. */
  astGrep: string;
  /** Folder of SQLite's vector extension. */
  sqliteVec: string;
}

const require = createRequire(import.meta.url);

/**
 * The native parts of a release. Those of this host's processor were installed with the project; another processor's are
 * fetched once, in the same versions, from where npm gets its packages.
 * @throws CommandError when npm cannot fetch them; Error when a package is not the lockfile's
 */
export async function nativeParts(arch: Arch): Promise<NativeParts> {
  const [node, rg, astGrep, sqliteVec] = await Promise.all([
    arch === process.arch
      ? dirname(require.resolve("node/package.json"))
      : fetched(`node-linux-${arch}`, await versionOfNode()),
    platformPackage(`@vscode/ripgrep-linux-${arch}`, arch),
    platformPackage(`@ast-grep/napi-linux-${arch}-gnu`, arch),
    platformPackage(`sqlite-vec-linux-${arch}`, arch),
  ]);
  return { node: join(node, "bin/node"), rg: join(rg, "bin/rg"), astGrep, sqliteVec };
}

interface Locked {
  version: string;
  integrity?: string;
}

async function lockfile(): Promise<Record<string, Locked>> {
  return JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8")).packages;
}

const versionOfNode = async () => (await lockfile())["node_modules/node"]?.version ?? "";

/** A package of one processor: npm hoists this host's beside their parent, and has the hashes of all in the lockfile. */
async function platformPackage(name: string, arch: Arch): Promise<string> {
  if (arch === process.arch) return join(projectRoot, "node_modules", name);
  const locked = (await lockfile())[`node_modules/${name}`];
  return fetched(name, locked?.version ?? "", locked?.integrity);
}

/** A package's folder in the cache; unpacked whole or not at all. npm checks it against the registry's hash. */
async function fetched(name: string, version: string, integrity?: string): Promise<string> {
  const folder = join(cacheFolder("native"), `${name.replace(/^@.*\//, "")}-${version}`);
  if (existsSync(folder)) return folder;
  const work = await mkdtemp(`${folder}.`);
  try {
    const { stdout } = await run(
      "npm",
      ["pack", `${name}@${version}`, "--ignore-scripts", "--json", "--pack-destination", work],
      { timeout: 300_000, cwd: work },
    );
    const [packed] = JSON.parse(stdout) as [{ filename: string }];
    const archive = join(work, packed.filename.replaceAll("/", "-").replace(/^@/, ""));
    const hash = `sha512-${createHash("sha512")
      .update(await readFile(archive))
      .digest("base64")}`;
    if (integrity && hash !== integrity)
      throw new Error(`${name}@${version} is not what package-lock.json says`);
    await mkdir(join(work, "unpacked"));
    await run("tar", [
      "-xzf",
      archive,
      "-C",
      join(work, "unpacked"),
      "--strip-components=1",
      "--no-same-owner",
    ]);
    await rename(join(work, "unpacked"), folder).catch((error) => {
      if (!existsSync(folder)) throw error; // another run was quicker
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
