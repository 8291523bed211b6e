import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { build } from "esbuild";
import { pack } from "tar-stream";
import { BUNDLED_SERVER } from "../cloud-init/app.ts";
import { useCached, writeCached } from "./cached-files.ts";
import { type Arch, type NativeParts, nativeParts } from "./native-parts.ts";
import { nodePins } from "./official-node.ts";
import { cacheFolder, projectRoot } from "./paths.ts";
import { packageOfFile, sbom } from "./sbom.ts";

/**
 * The server as one archive: `server.mjs` and `worker.mjs` (bundled: the server, and what its threads start from), `bin/node`, `bin/rg`,
 * `swagger-ui/` and `uplot/`, what no bundle can hold: `wasm/` (grammars), `native/` (addons) and `indexer/` (scip-typescript and its compiler), and `sbom.cdx.json`, which lists all of it.
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

export interface Entry {
  name: string;
  mode: number;
  content: Buffer;
}

/** Where the machine expects the runtime and the bundle. */
const [RUNTIME, SERVER] = BUNDLED_SERVER.start;

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

/** Bundle a program: one ES module for Node 24; what is CommonJS inside finds a `require`. */
export const bundleServer = async (entry = join(projectRoot, "server/main.ts")): Promise<Buffer> =>
  (await bundled(entry)).content;

/** @returns the bundle, and the packages that went into it as package-lock.json names them */
async function bundled(entry: string): Promise<{ content: Buffer; packages: string[] }> {
  const result = await build({
    entryPoints: [entry],
    // Paths in the bundle's comments are relative to it.
    absWorkingDir: projectRoot,
    metafile: true,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outfile: SERVER,
    write: false,
    external: ["@vscode/ripgrep"], // the release carries its binary as bin/rg
    legalComments: "none",
    logLevel: "silent",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  const packages = Object.keys(result.metafile.inputs).flatMap((path) => packageOfFile(path) ?? []);
  return { content: Buffer.from(result.outputFiles[0]?.contents ?? []), packages };
}

const CURSORLESS =
  "clojure dart elixir elm gdscript gleam haskell json latex markdown nix perl properties r scss swift zig";

/** Grammars of other packages than @vscode/tree-sitter-wasm (server/index/assets.ts). */
const MORE_GRAMMARS = [
  ...CURSORLESS.split(" ").map((name) => `@cursorless/tree-sitter-wasms/out/tree-sitter-${name}.wasm`),
  "@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-hcl.wasm",
  "@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm",
  "@tree-sitter-grammars/tree-sitter-lua/tree-sitter-lua.wasm",
  "@tree-sitter-grammars/tree-sitter-toml/tree-sitter-toml.wasm",
  "@tree-sitter-grammars/tree-sitter-yaml/tree-sitter-yaml.wasm",
  "tree-sitter-make/tree-sitter-make.wasm",
  "tree-sitter-objc/tree-sitter-objc.wasm",
  "tree-sitter-scala/tree-sitter-scala.wasm",
];

/** What the server loads while it runs, under the names that it expects. */
export async function loadedParts(arch: Arch, { astGrep, sqliteVec }: NativeParts): Promise<Entry[]> {
  const modules = join(projectRoot, "node_modules");
  const grammars = join(modules, "@vscode/tree-sitter-wasm/wasm");
  const platform = `Linux-${arch.toUpperCase()}`;
  const addon = `ast-grep-napi.linux-${arch}-gnu.node`;
  const files = [
    ["wasm/web-tree-sitter.wasm", join(modules, "web-tree-sitter/web-tree-sitter.wasm")],
    ...(await readdir(grammars))
      .filter((name) => /^tree-sitter-.*\.wasm$/.test(name))
      .map((name) => [`wasm/${name}`, join(grammars, name)]),
    ...MORE_GRAMMARS.map((path) => [`wasm/${basename(path)}`, join(modules, path)]),
    [`native/${addon}`, join(astGrep, addon)],
    [
      "native/tree-sitter-python.so",
      join(modules, `@ast-grep/lang-python/prebuilds/prebuild-${platform}/parser.so`),
    ],
    ["native/vec0.so", join(sqliteVec, "vec0.so")],
  ] as const;
  return Promise.all(
    files.map(async ([name = "", file = ""]) => ({ name, mode: 0o644, content: await readFile(file) })),
  );
}

/** The packages of which files are in a release beside its bundles. */
const unbundledPackages = (arch: Arch) => [
  `@vscode/ripgrep-linux-${arch}`,
  `@ast-grep/napi-linux-${arch}-gnu`,
  "@ast-grep/lang-python",
  `sqlite-vec-linux-${arch}`,
  "@vscode/tree-sitter-wasm",
  ...MORE_GRAMMARS.map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path),
  "web-tree-sitter",
  "@fastify/swagger-ui",
  "uplot",
];

async function nativeEntries({ node, rg }: NativeParts): Promise<Entry[]> {
  return [
    { name: RUNTIME, mode: 0o755, content: await readFile(node) },
    { name: "bin/rg", mode: 0o755, content: await readFile(rg) },
  ];
}

const SCIP_TYPESCRIPT = "@sourcegraph/scip-typescript";

/**
 * scip-typescript with the compiler that it brings and the compiler's libraries, as the program `indexer/main.mjs` finds them: packages,
 * since the compiler looks for its libraries beside itself. Documentation, translations and the command line are left out.
 */
async function indexerEntries(): Promise<{ entries: Entry[]; packages: string[] }> {
  const program = await bundled(join(projectRoot, "server/index/scip/typescript/main.ts"));
  const modules = join(projectRoot, "node_modules");
  const nested = `${SCIP_TYPESCRIPT}/node_modules/typescript`;
  const folders = [
    { folder: `${SCIP_TYPESCRIPT}/dist/src`, files: /^(?!.*\.test\.)[\w]+\.js$/ },
    { folder: SCIP_TYPESCRIPT, files: /^package\.json$/ },
    { folder: nested, files: /^package\.json$/ },
    { folder: `${nested}/lib`, files: /^(?:typescript\.js|lib\..*\.d\.ts)$/ },
    { folder: "google-protobuf", files: /^(?:package\.json|google-protobuf\.js)$/ },
  ];
  const listed = await Promise.all(
    folders.map(async ({ folder, files }) =>
      (await readdir(join(modules, folder)))
        .filter((name) => files.test(name))
        .map((name) => `${folder}/${name}`),
    ),
  );
  const read = async (path: string): Promise<Entry> => ({
    name: `indexer/node_modules/${path}`,
    mode: 0o644,
    content: await readFile(join(modules, path)),
  });
  const main = { name: "indexer/main.mjs", mode: 0o644, content: program.content };
  const packages = [SCIP_TYPESCRIPT, nested, "google-protobuf"].map((name) => `node_modules/${name}`);
  return { entries: [main, ...(await Promise.all(listed.flat().map(read)))], packages };
}

/** What the page of Swagger UI loads. */
const SWAGGER_UI_FILES = [
  "favicon-16x16.png",
  "favicon-32x32.png",
  "index.css",
  "swagger-ui-bundle.js",
  "swagger-ui-standalone-preset.js",
  "swagger-ui.css",
];

/** The page at /api/docs: scripts for a browser, which no bundle for Node can hold. */
async function swaggerUi(): Promise<Entry[]> {
  const folder = join(projectRoot, "node_modules/@fastify/swagger-ui/static");
  return Promise.all(
    SWAGGER_UI_FILES.map(async (name) => ({
      name: `swagger-ui/${name}`,
      mode: 0o644,
      content: await readFile(join(folder, name)),
    })),
  );
}

/** What the charts of /status load. */
async function uplot(): Promise<Entry[]> {
  const folder = join(projectRoot, "node_modules/uplot/dist");
  const files = ["uPlot.iife.min.js", "uPlot.min.css"].map(async (name) => ({
    name: `uplot/${name}`,
    mode: 0o644,
    content: await readFile(join(folder, name)),
  }));
  return Promise.all(files);
}

/** A tar whose bytes depend on names, modes and contents alone. */
export async function reproducibleTar(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  const folders = new Set(entries.flatMap(({ name }) => foldersAbove(name)));
  for (const name of [...folders].sort()) tar.entry({ name, type: "directory", mode: 0o755, ...ROOT });
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, mode, content } of sorted) tar.entry({ name, mode, ...ROOT }, content);
  tar.finalize();
  return buffer(tar);
}

/** The folders of a path, outermost first. */
const foldersAbove = (path: string) =>
  path
    .split("/")
    .slice(0, -1)
    .map((_, n, parts) => parts.slice(0, n + 1).join("/"));

const ROOT = { uid: 0, gid: 0, uname: "root", gname: "root", mtime: new Date(0) };

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
