import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BigRepository } from "./big-repository.ts";
import type { Figure } from "./figures.ts";
import { rpc } from "./json-rpc.ts";
import type { Served } from "./server/load-types.ts";
import { served, withFolder } from "./server/served.ts";

/** Interval of the samples of the memory, milliseconds. */
const SAMPLE_MS = 50;
/** Ticks of /proc/PID/stat in a second (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS = 100;
const MB = 1e6;

/** Each tool that reads much, several times. */
const CALLS: [tool: string, args: object][] = [
  ["search_text", { query: "(get|set)Random\\w*\\(", regex: true }],
  ["search_text", { query: "function" }],
  ["search_structural", { pattern: "new $ERROR($$$)", language: "javascript" }],
  ["find_symbol", { name: "parse", include_body: true }],
  ["find_references", { name: "parse" }],
  ["call_hierarchy", { name: "EventEmitter", direction: "callers", depth: 2 }],
  ["explore", { query: "how are streams piped through a transform" }],
  ["repo_map", {}],
  ["search", { query: "retry with backoff" }],
  ["symbols_overview", { path: "packages" }],
  ["list_files", {}],
  ["git_log", {}],
];

/**
 * The whole server over a million lines, from its start without an index: while it indexes, and while its tools are called. The memory is that of the process with all its threads, and of the programs that it runs.
 *
 * @param dir the folder of the index, empty. It is complete afterwards
 */
export async function wholeServer(
  big: BigRepository,
  dir: string,
  log: (line: string) => void,
): Promise<Figure[]> {
  return withFolder(async (folder) => {
    const program = [process.execPath, join(import.meta.dirname, "server", "started.ts")];
    const variables = {
      WORKSPACE_DIR: big.root,
      INDEX_DIR: dir,
      INDEX_TYPESCRIPT: "no",
      INDEX_POLL_SECONDS: "3600",
      CHATGPT_TOOLS: "always",
    };
    const server = await served(program, folder, variables);
    const memory = new PeakMemory(server.pid);
    try {
      log("index");
      const idle = cpuSeconds(server.pid);
      const began = performance.now();
      const call = callsTo(server);
      await untilIndexed(call);
      const seconds = cpuSeconds(server.pid) - idle;
      const indexing = memory.peak();
      const wall = (performance.now() - began) / 1_000;
      log("the tools");
      const failed: string[] = [];
      for (let round = 0; round < 2; round++) {
        const answers = await Promise.all(CALLS.map(([tool, args]) => call(tool, args)));
        for (const [n, { isError, content }] of answers.entries())
          if (isError) failed.push(`${CALLS[n]?.[0]}: ${content?.[0]?.text ?? "no result"}`);
      }
      for (const failure of failed) log(`FAILED ${failure}`);
      const rate = Math.round(big.lines / seconds);
      const lives = { unit: "MB", promise: "<= 1,000 MB" } as const;
      return [
        {
          what: `index of ${big.lines.toLocaleString("en")} lines in ${big.files.toLocaleString("en")} files, seconds of a core`,
          unit: "s",
          ours: seconds,
          against: { name: "50,000 lines/s", value: big.lines / 50_000 },
          promise: "<= 1 x",
          note: `${rate.toLocaleString("en")} lines/s a core; ${wall.toFixed(1)} s by the clock`,
        },
        {
          what: "resident memory of the server while it indexes",
          unit: "MB",
          ours: indexing / MB,
          promise: "<= 600 MB",
        },
        {
          ...lives,
          what: "resident memory of the server while its tools are called",
          ours: memory.peak() / MB,
          note: `${CALLS.length} calls at once, twice; ${failed.length === 0 ? "none failed" : `FAILED: ${failed.map((text) => text.slice(0, 100)).join("; ")}`}`,
        },
      ];
    } finally {
      memory.stop();
      await server.stop();
    }
  });
}

interface Answer {
  isError?: boolean;
  content?: { text?: string }[];
  structuredContent?: { repos?: { index: string }[] };
}

type Call = (tool: string, args: object) => Promise<Answer>;

function callsTo({ url, headers }: Served): Call {
  return async (name, args) => {
    const { result, error } = await rpc<Answer>(url, "tools/call", { name, arguments: args }, headers);
    return result ?? { isError: true, content: [{ text: JSON.stringify(error) }] };
  };
}

async function untilIndexed(call: Call): Promise<void> {
  for (;;) {
    const { structuredContent } = await call("list_repos", {});
    const state = structuredContent?.repos?.[0]?.index;
    if (state === "ready") return;
    if (state === "failed") throw new Error("the index could not be built");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The largest memory of a process and its descendants since the last question. */
class PeakMemory {
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      this.#peak = Math.max(this.#peak, residentOf(pid));
    }, SAMPLE_MS);
  }

  /** Bytes. */
  peak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Bytes (proc_pid_status(5)). A process that has ended has none. */
function residentOf(pid: number): number {
  const read = (file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return "";
    }
  };
  const own = Number(/^VmRSS:\s+(\d+)/m.exec(read("status"))?.[1] ?? 0) * 1_024;
  const children = read(`task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + residentOf(child), own);
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
