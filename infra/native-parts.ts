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
}

const require = createRequire(import.meta.url);

/**
 * The native parts of a release. Those of this host's processor were installed with the project; another processor's are
 * fetched once, in the same versions, from where npm gets its packages.
 * @throws CommandError when npm cannot fetch them; Error when ripgrep's archive is not the lockfile's
 */
export async function nativeParts(arch: Arch): Promise<NativeParts> {
  if (arch === process.arch) {
    return {
      node: join(dirname(require.resolve("node/package.json")), "bin/node"),
      // npm hoists the platform packages of ripgrep beside their parent.
      rg: join(projectRoot, `node_modules/@vscode/ripgrep-linux-${arch}/bin/rg`),
    };
  }
  const { packages } = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const ripgrep = `@vscode/ripgrep-linux-${arch}`;
  const locked = packages[`node_modules/${ripgrep}`];
  const [node, rg] = await Promise.all([
    fetched(`node-linux-${arch}`, packages["node_modules/node"]?.version ?? ""),
    fetched(ripgrep, locked?.version ?? "", locked?.integrity),
  ]);
  return { node: join(node, "bin/node"), rg: join(rg, "bin/rg") };
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
    await rename(join(work, "unpacked"), folder);
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
