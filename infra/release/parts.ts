import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { BUNDLED_SERVER } from "../../cloud-init/app.ts";
import type { Arch, NativeParts } from "../native-parts.ts";
import { projectRoot } from "../paths.ts";
import { bundled } from "./bundle.ts";
import type { Entry } from "./tar.ts";

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
export const unbundledPackages = (arch: Arch) => [
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

const [RUNTIME] = BUNDLED_SERVER.start;

/** The programs. */
export async function nativeEntries({ node, rg }: NativeParts): Promise<Entry[]> {
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
export async function indexerEntries(): Promise<{ entries: Entry[]; packages: string[] }> {
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
export async function swaggerUi(): Promise<Entry[]> {
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
export async function uplot(): Promise<Entry[]> {
  const folder = join(projectRoot, "node_modules/uplot/dist");
  const files = ["uPlot.iife.min.js", "uPlot.min.css"].map(async (name) => ({
    name: `uplot/${name}`,
    mode: 0o644,
    content: await readFile(join(folder, name)),
  }));
  return Promise.all(files);
}
