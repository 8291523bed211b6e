import { execFile, spawn } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { build } from "esbuild";
import { type Arch, nativeParts } from "../../infra/native-parts.ts";
import { loadedParts } from "../../infra/release/parts.ts";
import { findRipgrep } from "../../server/workspace/ripgrep.ts";
import { eventually, makeRepository, rpc, temporaryFolder } from "./support.ts";
import { startEmbeddingService } from "./tools/embedding-service.ts";

const ARCH = process.arch as Arch;

/** The release's files in a folder of their own, with this Node. */
async function layOut(release: string): Promise<void> {
  for (const [entry, name] of [
    ["server/main.ts", "server.mjs"],
    ["server/index/worker.ts", "worker.mjs"],
  ] as const) {
    const built = await build({
      entryPoints: [entry],
      outfile: join(release, name),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      external: ["@vscode/ripgrep"],
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
      logLevel: "silent",
    });
    expect(built.warnings).toEqual([]);
  }
  // The conformance suite's fixtures belong to the tests.
  expect(await readFile(join(release, "server.mjs"), "utf8")).not.toMatch(/test_simple_text|test:\/\//);
  await mkdir(join(release, "bin"));
  await symlink(process.execPath, join(release, "bin", "node"));
  for (const { name, content } of await loadedParts(ARCH, await nativeParts(ARCH))) {
    await mkdir(dirname(join(release, name)), { recursive: true });
    await writeFile(join(release, name), content);
  }
}

const FILES = {
  "src/main.ts": "export function answer(): number {\n  return 42;\n}\nconsole.log(answer());\n",
  "src/tool.py": "def needle(hay):\n    return hay\n\nneedle(1)\n",
};

/** Each needs another of the native parts. */
const CALLS: [string, Record<string, unknown>, RegExp][] = [
  ["search_text", { query: "needle", path: "src" }, /src\/tool\.py/],
  ["find_symbol", { name: "answer" }, /src\/main\.ts/],
  ["find_references", { name: "needle" }, /needle\(1\)/],
  ["search_structural", { pattern: "console.log($X)", language: "typescript" }, /answer\(\)/],
  ["search_structural", { pattern: "needle($X)", language: "python" }, /src\/tool\.py/],
  ["search_semantic", { query: "pin" }, /src\/tool\.py.{0,99}meaning/],
];

test.each([
  ["", {}, []],
  [", and traces it", { OTEL_TRACES_EXPORTER: "console" }, ["tools/call search_text", "POST /mcp"]],
])(
  "a release is whole: with nothing but its own parts it searches, indexes and parses%s",
  async (_, more, said) => {
    const folder = await temporaryFolder();
    const embeddings = await startEmbeddingService();
    try {
      const release = join(folder.path, "release");
      await layOut(release);
      await makeRepository(join(folder.path, "workspace", "sample"), FILES);

      const node = process.execPath;
      const bundle = join(release, "server.mjs");
      const { stdout } = await promisify(execFile)(node, [bundle, "token", "list"], {
        cwd: folder.path,
        env: { TOKENS_FILE: join(folder.path, "tokens.json") },
      });
      expect(stdout).toContain("No tokens");

      const child = spawn(node, [bundle], {
        cwd: release,
        env: {
          PATH: "/usr/bin:/bin",
          WORKSPACE_DIR: join(folder.path, "workspace"),
          INDEX_DIR: join(folder.path, "index"),
          RIPGREP_PATH: await findRipgrep(undefined),
          PORT: "0",
          EMBEDDINGS_URL: embeddings.url.href,
          INDEX_POLL_SECONDS: "1",
          ...more,
        },
      });
      let text = "";
      child.stdout.on("data", (chunk) => {
        text += chunk;
      });
      child.stderr.on("data", (chunk) => {
        text += chunk;
      });
      const exit = new Promise((done) => child.once("close", done));
      try {
        const url = await eventually(() => /"url":"(.*?)\/mcp"/.exec(text)?.[1], "the bundle to be ready");
        await eventually(() => text.includes('"msg":"indexed"'), "the index");
        await eventually(() => text.includes('"msg":"embedded"'), "the vectors");
        for (const [name, args, expected] of CALLS) {
          const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
          const answer = await (await rpc(url, call)).text();
          expect(answer).toMatch(expected);
          expect(answer).not.toContain('"isError":true');
        }
        child.kill("SIGTERM");
        expect(await exit).toBe(0);
        expect(text).not.toMatch(/warning/i);
        for (const words of said) expect(text).toContain(words);
      } finally {
        await embeddings.close();
        await folder.remove();
      }
    } finally {
      await folder.remove();
    }
  },
);
