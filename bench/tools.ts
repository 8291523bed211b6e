import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../infra/paths.ts";
import { Capabilities } from "../server/capabilities/registry.ts";
import { buildIndex } from "../server/index/build.ts";
import { CodeIndex } from "../server/index/code-index.ts";
import { findReferences } from "../server/tools/find-references.ts";
import { findSymbol } from "../server/tools/find-symbol.ts";
import type { Tool } from "../server/tools/tool.ts";
import { findRipgrep } from "../server/workspace/ripgrep.ts";
import { Workspace } from "../server/workspace/workspace.ts";
import { type BigRepository, bigRepository } from "./big-repository.ts";
import { type Figure, median } from "./figures.ts";
import { repeatedCalls } from "./repeated-calls.ts";
import { type Call, structuralSearches, textSearches, took } from "./searches.ts";

/** Interval of the samples of the memory, milliseconds. */
const SAMPLE_MS = 50;
const SYMBOLS = ["EventEmitter", "Parser", "createServer", "parse", "Transform"];

/** The tools over a repository of a million lines, beside what they rest on. Every figure of one call comes from the same run. */
export async function toolFigures(log: (line: string) => void = () => undefined): Promise<Figure[]> {
  // First: the memory of this process is measured while it indexes.
  log("a repository of a million lines");
  const big = await bigRepository();
  const dir = cacheFolder("bench", "index");
  await rm(dir, { recursive: true, force: true });
  log("index");
  const figures = [...(await indexing(big, dir)), await updating(big, dir), ...(await repeatedCalls(log))];
  const workspace = new Workspace({ kind: "single", dir: big.root });
  const ripgrep = await findRipgrep(undefined);
  const quiet = { info: () => undefined, warn: () => undefined };
  const capabilities = new Capabilities();
  const index = new CodeIndex({ dir, workspace, capabilities, pollSeconds: 3_600, log: quiet });
  await index.start();
  await index.refresh();
  try {
    const call = async (tool: Tool, args: Record<string, unknown>) => {
      const { signal } = new AbortController();
      return tool.run(tool.input.parse(args), { workspace, ripgrep, index, signal });
    };
    log("search_text beside ripgrep");
    figures.push(...(await textSearches(big.root, ripgrep, call)));
    log("search_structural");
    figures.push(...(await structuralSearches(cacheFolder("bench", "index-here"))));
    log("symbols");
    figures.push(await looking(call));
    const references = await rounds(
      5,
      async (n) => void (await call(findReferences, { name: SYMBOLS[n % SYMBOLS.length] })),
    );
    figures.push({ what: "find_references, warm", unit: "ms", ours: references });
  } finally {
    await index.close();
  }
  return figures;
}

async function indexing(big: BigRepository, dir: string): Promise<Figure[]> {
  const began = performance.now();
  const before = process.cpuUsage();
  let resident = 0;
  const sampling = setInterval(() => {
    resident = Math.max(resident, process.memoryUsage.rss());
  }, SAMPLE_MS);
  await buildIndex({ dir, root: big.root });
  clearInterval(sampling);
  // Seconds of a core, its system calls among them: what else runs on the machine does not count.
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1_000_000;
  const rate = Math.round(big.lines / seconds);
  const wall = (performance.now() - began) / 1_000;
  const speed: Figure = {
    what: `index of ${big.lines.toLocaleString("en")} lines in ${big.files.toLocaleString("en")} files, seconds of a core`,
    unit: "s",
    ours: seconds,
    against: { name: "50,000 lines/s", value: big.lines / 50_000 },
    promise: "<= 1 x",
    note: `${rate.toLocaleString("en")} lines/s a core; ${wall.toFixed(1)} s by the clock`,
  };
  const memory: Figure = {
    what: "resident memory while it indexes",
    unit: "MB",
    ours: resident / 1e6,
    promise: "<= 600 MB",
  };
  return [speed, memory];
}

/** A commit that changes ten files. The repository is put back as it was. */
async function updating(big: BigRepository, dir: string): Promise<Figure> {
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Bench", "-c", "user.email=bench@example.test", "-C", big.root, ...args]);
  const before = (await git("rev-parse", "HEAD")).stdout;
  const paths = (await git("ls-files", "*.ts")).stdout
    .split("\n")
    .filter((_, n) => n % 97 === 0)
    .slice(0, 10);
  for (const path of paths)
    await writeFile(join(big.root, path), "\nexport function changed() {}\n", { flag: "a" });
  await git("commit", "--quiet", "--all", "--message=Ten files");
  const began = performance.now();
  await buildIndex({ dir, root: big.root });
  const seconds = (performance.now() - began) / 1_000;
  await git("reset", "--quiet", "--hard", before);
  await buildIndex({ dir, root: big.root });
  return { what: "index after a commit of ten files", unit: "s", ours: seconds, promise: "<= 1 s" };
}

async function looking(call: Call): Promise<Figure> {
  const ours = await rounds(
    50,
    async (n) => void (await call(findSymbol, { name: SYMBOLS[n % SYMBOLS.length] })),
  );
  return { what: "find_symbol, warm", unit: "ms", ours, promise: "<= 10 ms" };
}

async function rounds(count: number, work: (n: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < count + SYMBOLS.length; n++) times.push(await took(() => work(n)));
  return median(times.slice(SYMBOLS.length));
}
