import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../infra/paths.ts";
import { type Figure, median } from "./figures.ts";
import { envelopes } from "./server/loads.ts";
import { sent, served, withFolder } from "./server/served.ts";

const SECONDS = 3;
const ROUNDS = 15;

interface Repeated {
  readonly tool: string;
  readonly args: object;
  /** What git is asked for the same, as one process. */
  readonly git: readonly string[];
  readonly promised?: boolean;
}

const CALLS: readonly Repeated[] = [
  { tool: "list_repos", args: {}, git: ["for-each-ref", "--sort=-creatordate"], promised: true },
  {
    tool: "list_files",
    args: {},
    git: ["ls-files", "--cached", "--others", "--exclude-standard"],
    promised: true,
  },
  { tool: "git_log", args: {}, git: ["log", "--max-count=31"], promised: true },
  { tool: "git_blame", args: { path: "README.md" }, git: ["blame", "README.md"], promised: true },
  { tool: "git_diff", args: { commit: "HEAD" }, git: ["diff", "HEAD~1", "HEAD"] },
  { tool: "read_file", args: { path: "README.md" }, git: ["cat-file", "blob", "HEAD:README.md"] },
];

/** The same calls again and again over this repository, through the whole server on one core, beside git's own process. */
export async function repeatedCalls(log: (line: string) => void): Promise<Figure[]> {
  return withFolder(async (folder) => {
    const program = [process.execPath, join(import.meta.dirname, "server", "echo.ts")];
    const target = await served(program, folder, { WORKSPACE_DIR: projectRoot });
    const figures: Figure[] = [];
    try {
      for (const { tool, args, git, promised } of CALLS) {
        log(`${tool}, again and again`);
        const alone = await timeOf(git);
        const load = await envelopes("tools/call", tool, args)(target);
        await sent({ ...load, seconds: 1 });
        const one = await sent({ ...load, connections: load.connections.slice(0, 1), seconds: SECONDS });
        const all = await sent({ ...load, seconds: SECONDS });
        const name = `git ${git[0]}`;
        const failed = one.failed + all.failed;
        figures.push(
          {
            what: `${tool}, repeated, one caller`,
            unit: "ms",
            ours: 1_000 / one.rate,
            against: { name, value: alone },
            ...(promised ? { promise: "<= 2 ms" } : {}),
          },
          {
            what: `${tool}, repeated, 16 callers`,
            unit: "req/s",
            ours: all.rate,
            against: { name: `${name}, one after the other`, value: 1_000 / alone },
            ...(promised ? { promise: ">= 1,500 req/s" } : {}),
            ...(failed > 0 ? { note: `${failed} FAILED` } : {}),
          },
        );
      }
    } finally {
      await target.stop();
    }
    return figures;
  });
}

/** Median time of a git process, milliseconds. */
async function timeOf(args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await execa("git", ["-C", projectRoot, ...args]);
    times.push(performance.now() - began);
  }
  return median(times);
}
