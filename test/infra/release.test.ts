import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../infra/exec.ts";
import { nodePins } from "../../infra/official-node.ts";
import { projectRoot } from "../../infra/paths.ts";
import { bundleServer } from "../../infra/release/bundle.ts";
import { reproducibleTar } from "../../infra/release/tar.ts";
import { type BuiltRelease, buildRelease } from "../../infra/release.ts";
import { PYTHON_PARSER, STRUCTURAL_ADDON, VECTORS } from "../../server/index/assets.ts";
import { GRAMMARS } from "../../server/index/languages.ts";
import { eventually, makeRepository } from "../server/support.ts";

/** For a test that builds a release, which takes seconds of both cores, milliseconds. */
const BUILD_MS = 600_000;

let folder = "";
let built = "";
let release: BuiltRelease;

interface Component {
  name: string;
  group?: string;
  version: string;
  purl: string;
  cpe?: string;
  hashes: { alg: string; content: string }[];
  licenses?: unknown[];
}
interface Document {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-edge-release-"));
  // Not in the cache: other suites use what lies there.
  built = await mkdtemp(join(tmpdir(), "mcp-edge-releases-"));
  release = await buildRelease(undefined, undefined, built);
}, BUILD_MS);
afterAll(async () => {
  await rm(folder, { recursive: true });
  await rm(built, { recursive: true });
});

describe("buildRelease", () => {
  test("is named by the sha256 of its bytes", async () => {
    const hash = createHash("sha256")
      .update(await readFile(release.archive))
      .digest("hex");
    expect(release.hash).toBe(hash);
    expect(basename(release.archive)).toBe(`${hash}.tar.zst`);
  });

  test(
    "has the same bytes when it is built again from scratch",
    async () => {
      const first = await readFile(release.archive);
      await rm(release.archive);
      const again = await buildRelease(undefined, undefined, built);
      expect(again).toEqual(release);
      expect(first.equals(await readFile(again.archive))).toBe(true);
    },
    BUILD_MS,
  );

  test("has all files that the server needs to start outside of the project", async () => {
    await run("tar", ["--zstd", "-xf", release.archive, "-C", folder]);
    expect((await readdir(folder)).sort()).toEqual([
      "bin",
      "indexer",
      "native",
      "sbom.cdx.json",
      "server.mjs",
      "swagger-ui",
      "uplot",
      "wasm",
      "worker.mjs",
    ]);
    expect((await readdir(join(folder, "bin"))).sort()).toEqual(["node", "rg"]);
    expect((await readdir(join(folder, "native"))).sort()).toEqual(
      [STRUCTURAL_ADDON, PYTHON_PARSER, VECTORS].sort(),
    );
    expect(await readdir(join(folder, "wasm"))).toEqual(
      expect.arrayContaining(["web-tree-sitter.wasm", ...GRAMMARS]),
    );
    const tokens = join(folder, "tokens.json");
    await writeFile(tokens, '{"version":1,"tokens":[]}');
    const node = join(folder, "bin/node");
    const env = { TOKENS_FILE: tokens, PATH: "/usr/bin:/bin", NODE_OPTIONS: undefined };
    const listed = await run(node, ["server.mjs", "token", "list", "--json"], { cwd: folder, env });
    expect(JSON.parse(listed.stdout)).toEqual([]);
    expect((await run(join(folder, "bin/rg"), ["--version"])).stdout).toMatch(/^ripgrep \d+/);
    const request = join(folder, "request.json");
    const output = join(folder, "index.scip");
    await writeFile(join(folder, "sample.ts"), "export const names = [1].map(String);\n");
    await writeFile(request, JSON.stringify({ root: folder, files: ["sample.ts"], output }));
    await run(node, ["indexer/main.mjs", request], { cwd: folder, env });
    // The compiler found its library: Array has a method map.
    expect(await readFile(output, "latin1")).toContain("Array#map().");
  });

  test("lists its parts in a valid CycloneDX document", async () => {
    const stdout = await readFile(join(folder, "sbom.cdx.json"), "utf8");
    expect(await readFile(release.sbom, "utf8")).toBe(stdout);
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(stdout)).toBeNull();
    const { components, dependencies, metadata, serialNumber } = JSON.parse(stdout) as Document;
    const names = components.map(({ group, name }) => (group ? `${group}/${name}` : name));
    // The packages that the server uses at runtime, and no build tool.
    expect(names).toEqual(
      expect.arrayContaining([
        "node",
        "fastify",
        "zod",
        "@modelcontextprotocol/server",
        `@vscode/ripgrep-linux-${process.arch}`,
        "web-tree-sitter",
        "@fastify/swagger-ui",
      ]),
    );
    for (const tool of ["@pulumi/pulumi", "@pulumi/aws", "esbuild", "jest"])
      expect(names).not.toContain(tool);
    expect(new Set(components.map(({ purl }) => purl)).size).toBe(components.length);
    expect(dependencies.find(({ ref }) => ref === "mcp-edge")?.dependsOn).toHaveLength(components.length);
    const lock = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8")).packages;
    expect(components.find(({ purl }) => purl.startsWith("pkg:npm/fastify@"))).toMatchObject({
      version: lock["node_modules/fastify"].version,
      purl: `pkg:npm/fastify@${lock["node_modules/fastify"].version}`,
      licenses: [{ license: { id: "MIT" } }],
    });
    const { version, pins } = await nodePins();
    expect(components.find(({ name }) => name === "node")).toMatchObject({
      version,
      cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
      hashes: [{ alg: "SHA-256", content: pins[`linux-${process.arch}`]?.binary }],
    });
    // No value that differs between two builds.
    expect([serialNumber, metadata.timestamp]).toEqual([undefined, undefined]);
  });

  test("serves Swagger UI from its own folder", async () => {
    const workspace = join(folder, "workspace");
    await makeRepository(join(workspace, "sample"));
    const env = {
      PATH: "/usr/bin:/bin",
      WORKSPACE_DIR: workspace,
      INDEX_DIR: join(folder, "index"),
      PORT: "0",
    };
    const server = spawn(join(folder, "bin/node"), ["server.mjs"], { cwd: folder, env });
    const ended = once(server, "exit");
    let output = "";
    for (const stream of [server.stdout, server.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    try {
      const origin = await eventually(
        () => /"url":"(.*?)\/mcp"/.exec(output)?.[1],
        "the release to be ready",
      );
      expect(await (await fetch(`${origin}/api/docs`)).text()).toContain("swagger-ui-bundle.js");
      const script = await fetch(`${origin}/api/docs/static/swagger-ui-bundle.js`);
      expect([script.status, script.headers.get("content-type")]).toEqual([
        200,
        expect.stringContaining("javascript"),
      ]);
      await script.body?.cancel();
    } finally {
      server.kill("SIGKILL");
      await ended;
    }
  });

  test(
    "changes its hash with the server's code",
    async () => {
      const entry = join(folder, "other.ts");
      await writeFile(entry, 'console.log("another server");\n');
      const other = await buildRelease(entry, undefined, built);
      expect(other.hash).not.toBe(release.hash);
    },
    BUILD_MS,
  );
});

test(
  "a release for the other processor has its Node and its ripgrep",
  async () => {
    const [arch, elf] = process.arch === "x64" ? (["arm64", 0xb7] as const) : (["x64", 0x3e] as const);
    const other = await buildRelease(undefined, arch, built);
    expect(other.hash).not.toBe(release.hash);
    const unpacked = await mkdtemp(join(tmpdir(), "mcp-edge-release-"));
    await run("tar", ["--zstd", "-xf", other.archive, "-C", unpacked]);
    // e_machine of the ELF header
    for (const part of ["bin/node", "bin/rg"])
      expect((await readFile(join(unpacked, part))).readUInt16LE(18)).toBe(elf);
    await rm(unpacked, { recursive: true });
  },
  BUILD_MS,
);

test(
  "a bundle does not depend on the folder in which it is built",
  async () => {
    const script = `const { bundleServer } = await import(${JSON.stringify(join(projectRoot, "infra/release/bundle.ts"))});
    process.stdout.write((await bundleServer()).toString("base64"));`;
    const node = join(projectRoot, "node_modules/.bin/node");
    const bundles = await Promise.all(
      [projectRoot, folder, "/"].map((cwd) =>
        run(node, ["--input-type=module", "-e", script], { cwd, timeout: BUILD_MS }),
      ),
    );
    expect(new Set(bundles.map(({ stdout }) => stdout)).size).toBe(1);
  },
  BUILD_MS,
);

test("reproducibleTar does not depend on the order of its entries", async () => {
  const entry = (name: string) => ({ name, mode: 0o644, content: Buffer.from(name) });
  const one = await reproducibleTar([entry("b/x"), entry("a")]);
  const other = await reproducibleTar([entry("a"), entry("b/x")]);
  expect(one.equals(other)).toBe(true);
});

test("bundleServer says what is wrong with broken code, and where", async () => {
  const entry = join(folder, "broken.ts");
  await writeFile(entry, 'import { nothing } from "./does-not-exist.ts";\nconsole.log(nothing);\n');
  await expect(bundleServer(entry)).rejects.toThrow(/broken\.ts:1.*does-not-exist/s);
});
