import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Indexer } from "../indexer.ts";
import type { TypescriptRequest } from "./main.ts";
import { SOURCE } from "./projects.ts";

/** scip-typescript with the compiler that it brings. */
export const TYPESCRIPT_INDEXER: Indexer = {
  tool: "scip-typescript",
  sources: SOURCE,
  isIncremental: true,
  configuration: /(?:^|\/)(?:(?:ts|js)config[^/]*|package(?:-lock)?)\.json$/,
  async prepare({ root, files, changed, output, work }) {
    const program = programFile();
    if (!program)
      throw new Error("scip-typescript is not installed: indexer/ next to server.mjs, or run: npm ci");
    const file = join(work, "request.json");
    const request: TypescriptRequest = { root, files, changed, output };
    await writeFile(file, JSON.stringify(request));
    return ["--disable-warning=ExperimentalWarning", program, file];
  },
};

/** The program next to the bundle of a release, else that of the sources. */
function programFile(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, "indexer/main.mjs"), join(here, "main.ts")].find((file) => existsSync(file));
}
