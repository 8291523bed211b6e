import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { type Arch, nativeParts } from "../../infra/native-parts.ts";
import { projectRoot } from "../../infra/paths.ts";
import { loadedParts } from "../../infra/release/parts.ts";

/** Packages with one package for each platform. */
const PARENTS = ["@vscode/ripgrep", "@ast-grep/napi", "sqlite-vec"];
const MACHINES = ["arm64", "x64"] as const;
/** e_machine of the ELF header */
const ELF: Record<Arch, number> = { arm64: 0xb7, x64: 0x3e };

interface Tree {
  folder: string;
  modules: string;
  /** The host's own Node: no file that a machine could run. */
  node: string;
}

/** The part of `npm ci` on another host that matters here: the lockfile's packages with native parts, and no others. */
async function treeOf(os: string, cpu: string, libc?: string): Promise<Tree> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-edge-tree-"));
  const lock = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8"));
  const chosen = Object.keys(lock.packages).filter((path) =>
    PARENTS.some((name) => path === `node_modules/${name}` || path.startsWith(`node_modules/${name}-`)),
  );
  const packages = Object.fromEntries(chosen.map((path) => [path, lock.packages[path]]));
  const dependencies = Object.fromEntries(
    PARENTS.map((name) => [name, lock.packages[`node_modules/${name}`].version]),
  );
  const root = { name: "tree", version: "1.0.0", dependencies };
  await writeFile(join(folder, "package.json"), JSON.stringify(root));
  await writeFile(
    join(folder, "package-lock.json"),
    JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages: { "": root, ...packages } }),
  );
  const target = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  await run("npm", ["ci", "--ignore-scripts", ...target], { cwd: folder, timeout: 120_000 });
  const node = join(folder, "node");
  await writeFile(node, Buffer.from("cffaedfe", "hex")); // Mach-O
  return { folder, modules: join(folder, "node_modules"), node };
}

describe.each([
  ["darwin", "arm64", undefined],
  ["darwin", "x64", undefined],
  ["linux", "x64", "glibc"],
  ["linux", "arm64", "glibc"],
  ["linux", "x64", "musl"],
  ["linux", "arm64", "musl"],
] as const)("on %s %s %s", (os, cpu, libc) => {
  let tree: Tree;
  beforeAll(async () => {
    tree = await treeOf(os, cpu, libc);
  });
  afterAll(() => rm(tree.folder, { recursive: true, force: true }));

  test.each(MACHINES)(
    "a release has the native packages of a Debian machine with %s",
    async (arch) => {
      const parts = await nativeParts(arch, { modules: tree.modules, nodes: [tree.node] });
      for (const file of [parts.node, parts.rg]) {
        expect((await stat(file)).mode & 0o111).not.toBe(0);
        expect((await readFile(file)).readUInt16LE(18)).toBe(ELF[arch]);
      }
      const native = (await loadedParts(arch, parts)).filter(({ name }) => name.startsWith("native/"));
      expect(native.map(({ name }) => name)).toEqual([
        `native/ast-grep-napi.linux-${arch}-gnu.node`,
        "native/tree-sitter-python.so",
        "native/vec0.so",
      ]);
      for (const { content } of native) {
        expect(content.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
        expect(content.readUInt16LE(18)).toBe(ELF[arch]);
        expect(content.includes("libc.musl")).toBe(false);
      }
    },
    300_000,
  );

  test("a package that npm has installed for this platform is not downloaded again", async () => {
    const { rg, sqliteVec } = await nativeParts(cpu, { modules: tree.modules, nodes: [tree.node] });
    expect([rg.startsWith(tree.modules), sqliteVec.startsWith(tree.modules)]).toEqual(
      os === "linux" ? [true, true] : [false, false],
    );
  });
});

test("an installed package with another version than the lockfile's is not used", async () => {
  const { folder, modules, node } = await treeOf("linux", "x64", "glibc");
  const manifest = join(modules, "sqlite-vec-linux-x64/package.json");
  await writeFile(manifest, JSON.stringify({ name: "sqlite-vec-linux-x64", version: "9.9.9" }));
  expect((await nativeParts("x64", { modules, nodes: [node] })).sqliteVec).not.toContain(folder);
  await rm(folder, { recursive: true });
});
