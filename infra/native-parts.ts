import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { npmPackage } from "./npm-package.ts";
import { officialNode } from "./official-node.ts";
import { projectRoot } from "./paths.ts";

/** As Node names processors. */
export type Arch = "x64" | "arm64";

/** What a release carries besides JavaScript, built for the machine: Linux with glibc, whatever host builds it. */
export interface NativeParts {
  /** Path of Node. */
  node: string;
  /** Path of ripgrep. */
  rg: string;
  /** Folder of the structural search's addon. */
  astGrep: string;
  /** Folder of SQLite's vector extension. */
  sqliteVec: string;
}

/** What the building host has already. */
export interface BuildHost {
  /** Its node_modules. */
  modules: string;
  /** Its binaries of Node. */
  nodes: string[];
}

const modules = join(projectRoot, "node_modules");
const buildHost: BuildHost = { modules, nodes: [join(modules, "node/bin/node"), process.execPath] };

/**
 * The native parts of a release for a machine's processor. npm installs the packages of the host alone (macOS, musl and the
 * other processor have others), so each part is taken by the name of the machine's package where that is installed, and
 * fetched in the lockfile's version where it is not. Node is verified by its hash.
 * @throws CommandError when npm cannot fetch a package; IntegrityError when one is not the lockfile's
 */
export async function nativeParts(arch: Arch, host = buildHost): Promise<NativeParts> {
  const [node, rg, astGrep, sqliteVec] = await Promise.all([
    officialNode(`linux-${arch}`, host.nodes),
    machinePackage(`@vscode/ripgrep-linux-${arch}`, host),
    machinePackage(`@ast-grep/napi-linux-${arch}-gnu`, host),
    machinePackage(`sqlite-vec-linux-${arch}`, host),
  ]);
  return { node, rg: join(rg, "bin/rg"), astGrep, sqliteVec };
}

interface Locked {
  version: string;
  integrity: string;
}

async function locked(name: string): Promise<Locked> {
  const { packages } = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8"));
  const { version = "", integrity = "" } = packages[`node_modules/${name}`] ?? {};
  return { version, integrity };
}

/** Folder of a package that is meant for the machine. */
async function machinePackage(name: string, { modules }: BuildHost): Promise<string> {
  const wanted = await locked(name);
  const installed = join(modules, name);
  const manifest = join(installed, "package.json");
  const has = existsSync(manifest) ? JSON.parse(await readFile(manifest, "utf8")).version : undefined;
  return has !== undefined && has === wanted.version ? installed : npmPackage({ name, ...wanted });
}
