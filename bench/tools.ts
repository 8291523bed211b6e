import { readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../infra/paths.ts";
import { Capabilities } from "../server/capabilities/registry.ts";
import { buildIndex } from "../server/index/build.ts";
import { CodeIndex } from "../server/index/code-index.ts";
import { IndexFolder } from "../server/index/folder.ts";
import { PRECISE_FILE } from "../server/index/scip/database.ts";
import { headCommit } from "../server/index/work-tree.ts";
import { findReferences } from "../server/tools/find-references.ts";
import { findSymbol } from "../server/tools/find-symbol.ts";
import { goToDefinition } from "../server/tools/go-to-definition.ts";
import type { Tool } from "../server/tools/tool.ts";
import { findRipgrep } from "../server/workspace/ripgrep.ts";
import { Workspace } from "../server/workspace/workspace.ts";
import { type BigRepository, bigRepository } from "./big-repository.ts";
import { bigScip } from "./big-scip.ts";
import { type Figure, median } from "./figures.ts";
import { repeatedCalls } from "./repeated-calls.ts";
import { type Call, structuralSearches, textSearches, took } from "./searches.ts";
import { wholeServer } from "./whole-server.ts";

const SYMBOLS = ["EventEmitter", "Parser", "createServer", "parse", "Transform"];

/** The tools over a repository of a million lines, beside what they rest on. Every figure of one call comes from the same run. */
export async function toolFigures(log: (line: string) => void = () => undefined): Promise<Figure[]> {
  log("a repository of a million lines");
  const big = await bigRepository();
  const dir = cacheFolder("bench", "index");
  await rm(dir, { recursive: true, force: true });
  const figures = [
    ...(await wholeServer(big, dir, log)),
    await updating(big, dir),
    ...(await repeatedCalls(log)),
  ];
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
    log("the index of a compiler");
    const [repo] = await workspace.repositories();
    const database = await new IndexFolder(dir, big.root).current();
    if (!repo || database === undefined) throw new Error("the repository has no index");
    const scip = { file: await bigScip(big, database), commit: await headCommit(big.root) };
    await index.importScip(repo, scip, new AbortController().signal);
    figures.push(...(await navigation(call)));
    for (const name of await readdir(dir, { recursive: true }))
      if (basename(name).startsWith(PRECISE_FILE)) await rm(join(dir, name));
    const lexical = await rounds(5, async (n) => void (await call(findReferences, nameOf(n))));
    figures.push({ what: "find_references without SCIP, warm", unit: "ms", ours: lexical });
  } finally {
    await index.close();
  }
  return figures;
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
  const ours = await rounds(50, async (n) => void (await call(findSymbol, nameOf(n))));
  return { what: "find_symbol, warm", unit: "ms", ours, promise: "<= 10 ms" };
}

const nameOf = (n: number) => ({ name: SYMBOLS[n % SYMBOLS.length] });

/** With the compiler's index that was imported, and the references without it. */
async function navigation(call: Call): Promise<Figure[]> {
  const precisions = new Set<unknown>();
  const references = async (n: number) => {
    const { precision } = await call(findReferences, nameOf(n));
    precisions.add(precision);
  };
  const precise = await rounds(25, references);
  const places = await Promise.all(
    SYMBOLS.map(async (name) => {
      const { references } = await call(findReferences, { name });
      const [{ path, line }] = references as [{ path: string; line: number }];
      return { path, line, symbol: name };
    }),
  );
  const definition = async (n: number) => {
    const { precision } = await call(goToDefinition, places[n % places.length] ?? {});
    precisions.add(precision);
  };
  const definitions = await rounds(25, definition);
  const promise = "<= 5 ms";
  const note = `${SYMBOLS.length} symbols; ${[...precisions].join(", ")}`;
  return [
    { what: "find_references with SCIP, warm", unit: "ms", ours: precise, promise, note },
    { what: "go_to_definition with SCIP, warm", unit: "ms", ours: definitions, promise, note },
  ];
}

async function rounds(count: number, work: (n: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < count + SYMBOLS.length; n++) times.push(await took(() => work(n)));
  return median(times.slice(SYMBOLS.length));
}
