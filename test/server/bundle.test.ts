import { execFile, spawn } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { build } from "esbuild";
import { findRipgrep } from "../../server/workspace/ripgrep.ts";
import { eventually, makeRepository, rpc, temporaryFolder } from "./support.ts";

const CALL = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "search_text", arguments: { query: "needle", path: "src" } },
};

test.each([
  ["", {}, []],
  [" and traces it", { OTEL_TRACES_EXPORTER: "console" }, ["execute_tool search_text", "POST /mcp"]],
])(
  "the server is one file: bundled, in a folder with nothing but Node and ripgrep, it answers a call%s",
  async (_, more, said) => {
    const folder = await temporaryFolder();
    try {
      const release = join(folder.path, "release");
      await mkdir(join(release, "bin"), { recursive: true });
      const built = await build({
        entryPoints: ["server/main.ts"],
        outfile: join(release, "server.mjs"),
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
      await symlink(process.execPath, join(release, "bin", "node"));
      await makeRepository(join(folder.path, "workspace", "sample"));

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
          RIPGREP_PATH: await findRipgrep(undefined),
          PORT: "0",
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
        expect(await (await rpc(url, CALL)).text()).toContain("src/main.ts");
        child.kill("SIGTERM");
        expect(await exit).toBe(0);
        expect(text).not.toMatch(/warning/i);
        for (const words of said) expect(text).toContain(words);
      } finally {
        child.kill("SIGKILL");
      }
    } finally {
      await folder.remove();
    }
  },
);
