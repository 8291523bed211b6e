import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The files that a bundle cannot contain: WebAssembly grammars and native addons. A release has them next to `server.mjs` (`wasm/`,
 * `native/`). When the server runs from its sources, they are in node_modules.
 */
const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** The addon of @ast-grep/napi; Debian and Amazon Linux are both glibc. */
export const STRUCTURAL_ADDON = `ast-grep-napi.linux-${process.arch}-gnu.node`;
export const PYTHON_PARSER = "tree-sitter-python.so";
/** The extension sqlite-vec. */
export const VECTORS = "vec0.so";

/** The grammars of @cursorless/tree-sitter-wasms that are used. */
const CURSORLESS =
  "clojure dart elixir elm gdscript gleam haskell json latex markdown nix perl properties r scss swift zig";

/** The packages of the grammars that @vscode/tree-sitter-wasm does not have. A release has the same files (infra/release/parts.ts). */
const GRAMMAR_PACKAGES: Record<string, string> = {
  ...Object.fromEntries(CURSORLESS.split(" ").map((name) => [name, "@cursorless/tree-sitter-wasms/out"])),
  hcl: "@tree-sitter-grammars/tree-sitter-hcl",
  kotlin: "@tree-sitter-grammars/tree-sitter-kotlin",
  lua: "@tree-sitter-grammars/tree-sitter-lua",
  make: "tree-sitter-make",
  objc: "tree-sitter-objc",
  scala: "tree-sitter-scala",
  toml: "@tree-sitter-grammars/tree-sitter-toml",
  yaml: "@tree-sitter-grammars/tree-sitter-yaml",
};

/** @returns the absolute path; undefined if this machine has no such file */
export function wasmFile(name: string): string | undefined {
  const grammar = /^tree-sitter-(.*)\.wasm$/.exec(name)?.[1] ?? "";
  const folder =
    name === "web-tree-sitter.wasm"
      ? "web-tree-sitter"
      : (GRAMMAR_PACKAGES[grammar] ?? "@vscode/tree-sitter-wasm/wasm");
  return first(join(here, "wasm", name), resolved(`${folder}/${name}`));
}

/** @returns the absolute path; undefined if this machine has no such file */
export function nativeFile(
  name: typeof STRUCTURAL_ADDON | typeof PYTHON_PARSER | typeof VECTORS,
): string | undefined {
  if (name === VECTORS)
    return first(join(here, "native", name), resolved(`sqlite-vec-linux-${process.arch}/${name}`));
  if (name === PYTHON_PARSER) return first(join(here, "native", name), pythonOfPackage());
  return first(join(here, "native", name), resolved(`@ast-grep/napi-linux-${process.arch}-gnu/${name}`));
}

function pythonOfPackage(): string | undefined {
  const manifest = resolved("@ast-grep/lang-python/package.json");
  const platform = { x64: "X64", arm64: "ARM64" }[process.arch as "x64"];
  return manifest && join(dirname(manifest), "prebuilds", `prebuild-Linux-${platform}`, "parser.so");
}

function first(...paths: (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && existsSync(path));
}

function resolved(name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
