import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./exec.ts";
import { npmPackage } from "./npm-package.ts";
import { download, type NodePin, nodeMirror, sha256Of } from "./official-node.ts";
import { projectRoot } from "./paths.ts";

/** The processors of machines. */
const PLATFORMS = ["linux-arm64", "linux-x64"];

/** @returns the folder and the integrity of npm's repackaging */
export type FromNpm = (name: string, version: string) => Promise<{ folder: string; integrity: string }>;

const fromNpm: FromNpm = async (name, version) => {
  const { stdout } = await run("npm", ["view", `${name}@${version}`, "dist.integrity"]);
  const integrity = stdout.trim();
  return { folder: await npmPackage({ name, version, integrity }), integrity };
};

/**
 * The pins of one version of Node: hashes of the archives as the release publishes them, of the binary in each, and of npm's
 * repackaging, which must carry the same binary.
 * @throws Error when an archive is not what the release publishes, or npm's binary is another
 */
export async function nodePinsOf(version: string, npm = fromNpm): Promise<Record<string, NodePin>> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-node-"));
  try {
    const sums = join(folder, "SHASUMS256.txt");
    await download(`${nodeMirror()}/v${version}/SHASUMS256.txt`, sums);
    const published = new Map(
      (await readFile(sums, "utf8"))
        .split("\n")
        .map((line) => line.trim().split(/\s+/).reverse() as [string, string]),
    );
    const pins: Record<string, NodePin> = {};
    for (const platform of PLATFORMS) {
      const name = `node-v${version}-${platform}`;
      const archive = join(folder, `${name}.tar.gz`);
      await download(`${nodeMirror()}/v${version}/${name}.tar.gz`, archive);
      const hash = await sha256Of(archive);
      if (hash !== published.get(`${name}.tar.gz`))
        throw new Error(
          `${name}.tar.gz has the sha256 ${hash}; SHASUMS256.txt says ${published.get(`${name}.tar.gz`)}`,
        );
      await run("tar", ["-xzf", archive, "-C", folder, `${name}/bin/node`]);
      const binary = await sha256Of(join(folder, name, "bin/node"));
      const repackaged = await npm(`node-${platform}`, version);
      const theirs = await sha256Of(join(repackaged.folder, "bin/node"));
      if (theirs !== binary)
        throw new Error(
          `npm's node-${platform}@${version} carries another bin/node (${theirs}) than the release (${binary})`,
        );
      pins[platform] = { archive: hash, binary, npm: repackaged.integrity };
    }
    return pins;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { packages } = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8"));
  const version: string = packages["node_modules/node"].version;
  const pins = { version, ...(await nodePinsOf(version)) };
  await writeFile(join(projectRoot, "infra/node-pins.json"), `${JSON.stringify(pins, null, 2)}\n`);
  console.log(`infra/node-pins.json names Node ${version}`);
}
