import { realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Indexer } from "../indexer.ts";

/**
 * Loaded before scip-python. Node's permission model denies child processes and files, but not the network in Node 24; this denies that.
 * With permissions, Node freezes `path`, which a library of scip-python extends: it gets a copy.
 */
const CONFINEMENT = `
const Module = require("node:module");
const path = require("node:path");
const load = Module._load;
const copy = { ...path, posix: { ...path.posix }, win32: { ...path.win32 } };
const denied = /^(?:node:)?(?:net|tls|dgram|dns|http|https|http2)(?:\\/|$)/;
Module._load = function (name, ...rest) {
  if (/^(?:node:)?path$/.test(name)) return copy;
  if (denied.test(name)) return new Proxy({}, { get: (_, key) => { if (typeof key === "string" && /^[a-z]/.test(key)) throw new Error("no network"); } });
  return load.call(this, name, ...rest);
};
// It gives way to the server: last for the CPU, first to be killed when memory runs out.
const concessions = [
  () => require("node:os").setPriority(19),
  () => require("node:fs").writeFileSync("/proc/self/oom_score_adj", "1000"),
];
for (const concede of concessions) try { concede(); } catch {}
`;

/**
 * scip-python (npm: @sourcegraph/scip-python), which is pyright. It reads sources and configuration, and neither imports nor runs them.
 *
 * @param program its index.js, absolute
 */
export function pythonIndexer(program: string): Indexer {
  return {
    tool: "scip-python",
    sources: /\.pyi?$/,
    isIncremental: false,
    configuration: /(?:^|\/)(?:pyproject\.toml|pyrightconfig\.json)$/,
    async prepare({ root, name, output, work }) {
      const main = await realpath(program).catch(() => undefined);
      if (main === undefined) throw new Error(`INDEX_PYTHON: ${program} does not exist`);
      const confinement = join(work, "confinement.cjs");
      // Without this list it would run pip.
      const environment = join(work, "environment.json");
      await writeFile(confinement, CONFINEMENT);
      await writeFile(environment, "[]");
      return [
        "--permission",
        ...[root, dirname(main), work].map((folder) => `--allow-fs-read=${folder}`),
        ...[work, "/proc/self/oom_score_adj"].map((path) => `--allow-fs-write=${path}`),
        `--require=${confinement}`,
        main,
        "index",
        ...["--cwd", root],
        ...["--output", output],
        ...["--project-name", name],
        ...["--project-version", "_"],
        ...["--environment", environment],
        "--quiet",
      ];
    },
  };
}
