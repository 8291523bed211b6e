import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { build } from "esbuild";
import { pack } from "tar-stream";
import { type Arch, nativeParts } from "./native-parts.ts";
import { cacheFolder, projectRoot } from "./paths.ts";

/**
 * The server as one archive: `server.mjs` (bundled), `bin/node` and `bin/rg`. Same input, same bytes, same hash: entries are
 * sorted, times are zero, owners are root, and both the bundler and the compressor come from the lockfile.
 */
export interface Release {
  /** sha256 of the archive's bytes, hex. */
  hash: string;
  /** `<hash>.tar.zst` in the cache. */
  archive: string;
}

interface Entry {
  name: string;
  mode: number;
  content: Buffer;
}

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

/** Bundle the server: one ES module for Node 24; what is CommonJS inside finds a `require`. */
export async function bundleServer(entry = join(projectRoot, "server/main.ts")): Promise<Buffer> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outfile: "server.mjs",
    write: false,
    external: ["@vscode/ripgrep"], // the release carries its binary as bin/rg
    legalComments: "none",
    logLevel: "silent",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  return Buffer.from(result.outputFiles[0]?.contents ?? []);
}

async function nativeEntries(arch: Arch): Promise<Entry[]> {
  const { node, rg } = await nativeParts(arch);
  return [
    { name: "bin/node", mode: 0o755, content: await readFile(node) },
    { name: "bin/rg", mode: 0o755, content: await readFile(rg) },
  ];
}

/** A tar whose bytes depend on names, modes and contents alone. */
export async function reproducibleTar(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  const folders = new Set(entries.map(({ name }) => dirname(name)).filter((folder) => folder !== "."));
  for (const name of [...folders].sort()) tar.entry({ name, type: "directory", mode: 0o755, ...ROOT });
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, mode, content } of sorted) tar.entry({ name, mode, ...ROOT }, content);
  tar.finalize();
  return buffer(tar);
}

const ROOT = { uid: 0, gid: 0, uname: "root", gname: "root", mtime: new Date(0) };

/**
 * Build the release, or take it from the cache when nothing of it changed (bundling alone takes a fraction of a second;
 * compressing Node takes one).
 * @param arch processor of the machine that runs it; default: this host's
 */
export async function buildRelease(entry?: string, arch = process.arch as Arch): Promise<Release> {
  const server = { name: "server.mjs", mode: 0o644, content: await bundleServer(entry) };
  const entries = [server, ...(await nativeEntries(arch))];
  const inputs = entries.map(({ name, mode, content }) => [name, mode, sha256(content)]);
  const folder = cacheFolder("releases");
  const known = join(folder, `${sha256(JSON.stringify([process.versions.zstd, inputs])).slice(0, 32)}.hash`);
  if (existsSync(known)) {
    const hash = await readFile(known, "utf8");
    const archive = join(folder, `${hash}.tar.zst`);
    if (existsSync(archive)) return { hash, archive };
  }
  const compress = promisify(zstdCompress);
  const data = await compress(await reproducibleTar(entries), {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  });
  const hash = sha256(data);
  const archive = join(folder, `${hash}.tar.zst`);
  await writeFile(`${archive}.partial`, data);
  await rename(`${archive}.partial`, archive);
  await writeFile(known, hash);
  return { hash, archive };
}
