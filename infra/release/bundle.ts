import { join } from "node:path";
import { build } from "esbuild";
import { BUNDLED_SERVER } from "../../cloud-init/app.ts";
import { projectRoot } from "../paths.ts";
import { packageOfFile } from "../sbom.ts";

const [, SERVER] = BUNDLED_SERVER.start;

/** Bundle a program: one ES module for Node 24; what is CommonJS inside finds a `require`. */
export const bundleServer = async (entry = join(projectRoot, "server/main.ts")): Promise<Buffer> =>
  (await bundled(entry)).content;

/** @returns the bundle, and the packages that went into it as package-lock.json names them */
export async function bundled(entry: string): Promise<{ content: Buffer; packages: string[] }> {
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
