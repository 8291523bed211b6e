import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { BUNDLED_SERVER } from "../cloud-init/app.ts";
import { useCached, writeCached } from "./cached-files.ts";
import { type Arch, nativeParts } from "./native-parts.ts";
import { nodePins } from "./official-node.ts";
import { cacheFolder, projectRoot } from "./paths.ts";
import { bundled } from "./release/bundle.ts";
import {
  indexerEntries,
  loadedParts,
  nativeEntries,
  swaggerUi,
  unbundledPackages,
  uplot,
} from "./release/parts.ts";
import { reproducibleTar } from "./release/tar.ts";
import { sbom } from "./sbom.ts";

/**
 * The server as one archive:
 *
 * - `server.mjs` and `worker.mjs`, the bundles of the server and of its worker threads;
 * - `bin/node` and `bin/rg`;
 * - what no bundle can hold: `wasm/` (grammars), `native/` (addons), `indexer/` (scip-typescript and its compiler), `swagger-ui/`, `uplot/`;
 * - `sbom.cdx.json`, which lists all of it.
 *
 * Same input, same bytes, same hash: entries are sorted, times are zero, owners are root, the bundler comes from the lockfile and
 * the compressor from Node (the workflows run the lockfile's).
 */
export interface Release {
  /** sha256 of the archive's bytes, hex. */
  hash: string;
  /** `<hash>.tar.zst` in the cache. */
  archive: string;
}

export interface BuiltRelease extends Release {
  /** `<hash>.cdx.json` beside the archive: the list in it, CycloneDX. */
  sbom: string;
}

const [, SERVER] = BUNDLED_SERVER.start;

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

/**
 * Build the release, or take it from the cache when nothing of it changed (bundling alone takes a fraction of a second;
 * compressing Node takes one).
 * @param arch processor of the machine that runs it; default: this host's
 * @param folder where the archive lies; default: the cache
 */
export function buildRelease(
  entry?: string,
  arch = process.arch as Arch,
  folder = cacheFolder("releases"),
): Promise<BuiltRelease> {
  const key = `${arch} ${entry} ${folder}`;
  const building = underWay.get(key) ?? builtRelease(entry, arch, folder).finally(() => underWay.delete(key));
  underWay.set(key, building);
  return building;
}

/** A second call for a release that is being built waits for the first: `up` begins one before the engine has started. */
const underWay = new Map<string, Promise<BuiltRelease>>();

const named = (folder: string, hash: string): BuiltRelease => ({
  hash,
  archive: join(folder, `${hash}.tar.zst`),
  sbom: join(folder, `${hash}.cdx.json`),
});

async function builtRelease(entry: string | undefined, arch: Arch, folder: string): Promise<BuiltRelease> {
  const program = await bundled(entry ?? join(projectRoot, "server/main.ts"));
  const thread = await bundled(join(projectRoot, "server/index/worker.ts"));
  const server = { name: SERVER, mode: 0o644, content: program.content };
  const worker = { name: "worker.mjs", mode: 0o644, content: thread.content };
  const native = await nativeParts(arch);
  const indexer = await indexerEntries();
  const parts = await Promise.all([nativeEntries(native), loadedParts(arch, native), swaggerUi(), uplot()]);
  const carried = unbundledPackages(arch).map((name) => `node_modules/${name}`);
  const packages = [...program.packages, ...thread.packages, ...indexer.packages, ...carried];
  const list = await sbom({ arch, packages, node: await nodePins() });
  const bill = { name: "sbom.cdx.json", mode: 0o644, content: Buffer.from(list) };
  const entries = [server, worker, bill, ...indexer.entries, ...parts.flat()];
  const inputs = entries.map(({ name, mode, content }) => [name, mode, sha256(content)]);
  const known = join(folder, `${sha256(JSON.stringify([process.versions.zstd, inputs])).slice(0, 32)}.hash`);
  if (await useCached(known)) {
    const release = named(folder, await readFile(known, "utf8"));
    if (await useCached(release.archive, release.sbom)) return release;
  }
  const compress = promisify(zstdCompress);
  const data = await compress(await reproducibleTar(entries), {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  });
  const hash = sha256(data);
  const release = named(folder, hash);
  await writeCached(release.sbom, bill.content);
  await writeCached(release.archive, data);
  await writeCached(known, hash);
  return release;
}
