import { execa } from "execa";
import { projectRoot } from "../infra/paths.ts";
import { Capabilities } from "../server/capabilities/registry.ts";
import { CodeIndex } from "../server/index/code-index.ts";
import { searchStructural } from "../server/tools/search-structural.ts";
import { searchText } from "../server/tools/search-text.ts";
import type { Tool } from "../server/tools/tool.ts";
import { Workspace } from "../server/workspace/workspace.ts";
import { type Figure, median } from "./figures.ts";

const ROUNDS = 15;
/** The first rounds start threads and compare the files with the index. */
const WARM_UP = 2;
const FASTER = "<= 10 ms, <= 0.10 x";

/** A word in a handful of files, one that is nowhere, one in very many files, and regular expressions. */
const QUERIES = [
  { name: "a rare word", query: "AsyncLocalStorage", promise: FASTER },
  { name: "nothing found", query: "zzqqyyxxww", promise: FASTER },
  { name: "a common word", query: "function", promise: "<= 0.50 x" },
  { name: "a regular expression", query: "class \\w+Error extends", regex: true, promise: "<= 0.50 x" },
  {
    name: "a regular expression with a choice",
    query: "(get|set)Random\\w*\\(",
    regex: true,
    promise: "<= 0.50 x",
  },
];

/** Patterns with matches in a few files, in many, and in none. */
const PATTERNS = ["new FairQueue($$$)", "$LIST.sort($$$)", "const $STATE = useState($$$)"];

export type Call = (tool: Tool, args: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** search_text beside ripgrep, which writes all matches and leaves nothing out. */
export async function textSearches(root: string, ripgrep: string, call: Call): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, query, regex = false, promise } of QUERIES) {
    const ours: number[] = [];
    const bare: number[] = [];
    let found = 0;
    const options = ["--line-number", "--hidden", "--no-config", ...(regex ? [] : ["--fixed-strings"])];
    for (let round = 0; round < ROUNDS; round++) {
      const search = async () => {
        found = ((await call(searchText, { query, regex, case: "sensitive" })).matches as unknown[]).length;
      };
      ours.push(await took(search));
      bare.push(
        await took(() => execa(ripgrep, [...options, "--", query, "./"], { cwd: root, reject: false })),
      );
    }
    figures.push({
      what: `search_text, ${name}`,
      unit: "ms",
      ours: median(ours.slice(WARM_UP)),
      against: { name: "ripgrep", value: median(bare.slice(WARM_UP)) },
      promise,
      note: `${found} matches`,
    });
  }
  return figures;
}

/** search_structural over this repository, warm, beside the same search without an index. */
export async function structuralSearches(dir: string): Promise<Figure[]> {
  const workspace = new Workspace({ kind: "single", dir: projectRoot });
  const log = { info: () => undefined, warn: () => undefined };
  const index = new CodeIndex({ dir, workspace, capabilities: new Capabilities(), pollSeconds: 3_600, log });
  const bare = new CodeIndex({ dir, workspace, capabilities: new Capabilities(), pollSeconds: 3_600, log });
  try {
    await index.start();
    await index.refresh();
    const figures: Figure[] = [];
    for (const pattern of PATTERNS) {
      const search = (over: CodeIndex) => () =>
        searchStructural.run(searchStructural.input.parse({ pattern, language: "typescript" }), {
          workspace,
          ripgrep: "",
          index: over,
          signal: new AbortController().signal,
        });
      figures.push({
        what: `search_structural, this repository, warm, ${pattern}`,
        unit: "ms",
        ours: await medianOf(search(index)),
        against: { name: "all files read and parsed", value: await medianOf(search(bare)) },
        promise: "<= 20 ms",
      });
    }
    return figures;
  } finally {
    await Promise.all([index.close(), bare.close()]);
  }
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await took(work));
  return median(times.slice(WARM_UP));
}

export async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
