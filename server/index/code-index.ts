import { existsSync } from "node:fs";
import { access, constants, lstat, mkdir } from "node:fs/promises";
import type { Capabilities } from "../capabilities/registry.ts";
import { ToolError } from "../tool-error.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import { nativeFile, STRUCTURAL_ADDON, wasmFile } from "./assets.ts";
import { IndexFolder, prune } from "./folder.ts";
import { JobPool } from "./job-pool.ts";
import type { JobArgs, JobResult } from "./jobs.ts";
import { JobThread } from "./thread.ts";
import { treeState } from "./work-tree.ts";

/** Longest that a call may take, milliseconds. */
const CALL_MS = 9_500;
/** From a build that failed to the next try: the first wait, and what doubling ends at, milliseconds. */
const FIRST_RETRY_MS = 20_000;
const LAST_RETRY_MS = 30 * 60_000;
/** Threads for look-ups, and for searches: one for a caller whose job takes long, one for everybody else. Started when needed. */
const QUERY_THREADS = 2;
/** JavaScript heaps of the threads, MiB; the grammars' WebAssembly memory comes on top (some 100 MiB at most). */
const QUERY_HEAP_MB = 96;
const BUILD_HEAP_MB = 256;

export interface CodeIndexOptions {
  /** INDEX_DIR: made when it is missing. */
  dir: string;
  workspace: Workspace;
  capabilities: Capabilities;
  /** How often the repositories are looked at for changes, seconds. */
  pollSeconds: number;
  /** Milliseconds since the epoch; default: the clock. */
  now?: () => number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** Where the index of one repository stands. `updating`: answers come from the state before. */
export interface IndexState {
  state: "none" | "building" | "ready" | "updating" | "failed";
  done?: number;
  total?: number;
  reason?: string;
}

type Queries = "findSymbol" | "overview" | "references" | "definition" | "repoMap" | "search";

/**
 * The index of the whole workspace: keeps it up to date in a thread of its own and answers queries in two pools of others, so that a
 * long structural search holds up no look-up of a symbol, one caller holds up no other, and nothing holds up the server.
 */
export class CodeIndex {
  readonly #options: CodeIndexOptions;
  readonly #lookups = new JobPool("look-ups in the index", QUERY_THREADS, QUERY_HEAP_MB);
  readonly #scans = new JobPool("searches of the code", QUERY_THREADS, QUERY_HEAP_MB);
  readonly #states = new Map<string, IndexState>();
  readonly #closing = new AbortController();
  #builder: JobThread | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #usable = false;

  constructor(options: CodeIndexOptions) {
    this.#options = options;
    options.capabilities.set("index", false, "not built yet");
    const structural = nativeFile(STRUCTURAL_ADDON);
    options.capabilities.set(
      "structural",
      structural !== undefined,
      structural ??
        `${STRUCTURAL_ADDON} is missing: native/${STRUCTURAL_ADDON} beside server.mjs, or run: npm ci`,
    );
  }

  /** Begins to look after the index. Never fails: without a usable folder the capability says why. */
  async start(): Promise<void> {
    const { capabilities, dir } = this.#options;
    try {
      if (!wasmFile("web-tree-sitter.wasm"))
        throw new Error("web-tree-sitter.wasm is missing: wasm/ beside server.mjs, or run: npm ci");
      await prepare(dir);
      this.#usable = true;
      await prune(dir, existsSync);
      await this.#takeUp();
    } catch (error) {
      this.#usable = false;
      capabilities.set("index", false, (error as Error).message);
      return;
    }
    this.#tick();
  }

  /** Looks at every repository now. @returns when all are up to date */
  refresh(): Promise<void> {
    if (!this.#usable || this.#closing.signal.aborted) return Promise.resolve();
    // Who asks during a round may know of what it has passed already.
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  state(repo: Repository): IndexState {
    return this.#states.get(repo.root) ?? { state: "none" };
  }

  /** Asks the index of a repository. @throws ToolError while there is none */
  async query<N extends Queries>(
    name: N,
    repo: Repository,
    args: Omit<JobArgs<N>, "database" | "root">,
    signal: AbortSignal,
  ): Promise<JobResult<N>> {
    const database = await new IndexFolder(this.#options.dir, repo.root).current();
    if (database === undefined) throw new ToolError(this.#missing(repo));
    const pool = name === "references" || name === "repoMap" ? this.#scans : this.#lookups;
    const job = { ...args, database, root: repo.root } as unknown as JobArgs<N>;
    return pool.run(name, job, { signal, timeoutMs: CALL_MS });
  }

  /** A structural search; it needs no index. */
  structural(args: JobArgs<"structural">, signal: AbortSignal): Promise<JobResult<"structural">> {
    return this.#scans.run("structural", args, { signal, timeoutMs: CALL_MS });
  }

  /** How far it is, for people. */
  describe(): string {
    const states = [...this.#states.values()];
    const ready = states.filter((s) => s.state === "ready" || s.state === "updating").length;
    const building = states.find((s) => s.state === "building");
    return `${ready} of ${states.length} repositories indexed${building?.total ? `; building: ${building.done} of ${building.total} files` : ""}`;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await Promise.all([this.#lookups.close(), this.#scans.close(), this.#builder?.close()]);
    await this.#round?.catch(() => undefined);
  }

  /** What an earlier server built answers from the start, until it is known how old it is. */
  async #takeUp(): Promise<void> {
    for (const { root } of await this.#options.workspace.repositories().catch(() => []))
      if ((await new IndexFolder(this.#options.dir, root).current()) !== undefined)
        this.#states.set(root, { state: "updating" });
    if (this.#states.size > 0) this.#tell();
  }

  #tick(): void {
    void this.refresh().finally(() => {
      if (this.#closing.signal.aborted) return;
      this.#timer = setTimeout(() => this.#tick(), this.#options.pollSeconds * 1_000).unref();
    });
  }

  async #rounds(): Promise<void> {
    while (this.#again && !this.#closing.signal.aborted) {
      this.#again = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const all = await this.#options.workspace.repositories().catch(() => []);
    for (const known of [this.#states, this.#fingerprints, this.#retries])
      for (const root of known.keys()) if (!all.some((r) => r.root === root)) known.delete(root);
    for (const repo of all) {
      if (this.#closing.signal.aborted) return;
      await this.#bring(repo);
    }
    // The grammars' memory only grows: the thread that builds ends with its work.
    const builder = this.#builder;
    this.#builder = undefined;
    await builder?.close();
    this.#tell();
  }

  async #bring(repo: Repository): Promise<void> {
    const { dir, log } = this.#options;
    const before = this.#states.get(repo.root);
    const had = (await new IndexFolder(dir, repo.root).current()) !== undefined;
    const busy = had ? "updating" : "building";
    let building = false;
    try {
      const { fingerprint } = await treeState(repo.root, this.#closing.signal);
      if (had && this.#fingerprints.get(repo.root) === fingerprint && before?.state === "ready") return;
      if (this.#now() < (this.#retries.get(repo.root)?.at ?? 0)) return;
      building = true;
      this.#states.set(repo.root, { state: busy });
      this.#tell();
      this.#builder ??= new JobThread(BUILD_HEAP_MB);
      const onProgress = (done: number, total: number) =>
        this.#states.set(repo.root, { state: busy, done, total });
      const started = performance.now();
      const result = await this.#builder.run("buildIndex", { dir, root: repo.root }, { onProgress });
      if (result.did === "locked") {
        // Another process is at it: what it publishes serves here too.
        this.#states.set(repo.root, { state: busy, reason: "another process builds it" });
        return;
      }
      this.#retries.delete(repo.root);
      this.#fingerprints.set(repo.root, result.meta?.fingerprint ?? "");
      if (result.did === "full") await this.#closeOthers(repo);
      this.#states.set(repo.root, { state: "ready" });
      const facts = { repo: repo.name, did: result.did, files_read: result.read, lines: result.meta?.lines };
      if (result.did !== "nothing")
        log.info({ ...facts, ms: Math.round(performance.now() - started) }, "indexed");
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (building) this.#postpone(repo);
      const reason = (error as Error).message;
      this.#states.set(repo.root, { state: had ? "ready" : "failed", reason });
      if (before?.reason !== reason) log.warn({ repo: repo.name, reason }, "index");
    }
    this.#tell();
  }

  readonly #fingerprints = new Map<string, string>();
  /** When a build that failed is tried again, and after how long a wait, milliseconds. */
  readonly #retries = new Map<string, { at: number; wait: number }>();

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** A repository that does not fit into the thread's memory fails each time, and each time costs a core. */
  #postpone(repo: Repository): void {
    const wait = Math.min((this.#retries.get(repo.root)?.wait ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
    this.#retries.set(repo.root, { at: this.#now() + wait, wait });
  }

  async #closeOthers(repo: Repository): Promise<void> {
    const database = await new IndexFolder(this.#options.dir, repo.root).current();
    if (database === undefined) return;
    for (const pool of [this.#lookups, this.#scans]) pool.inEach("closeOthers", { database });
  }

  #tell(): void {
    const states = [...this.#states.values()];
    const some = states.some((s) => s.state === "ready" || s.state === "updating");
    const failed = states.find((s) => s.state === "failed");
    const why = some
      ? `SQLite in ${this.#options.dir}`
      : (failed?.reason ?? (states.length === 0 ? "there is no repository" : "being built"));
    this.#options.capabilities.set("index", some, why);
  }

  #missing(repo: Repository): string {
    const { state, done, total, reason } = this.state(repo);
    if (state === "failed") return `Repository ${repo.name} could not be indexed: ${reason} Use search_text.`;
    const progress = total ? ` (${done} of ${total} files)` : "";
    return `The index of repository ${repo.name} is being built${progress}; try again soon, or use search_text.`;
  }
}

/** The folder must be ours: another account's would let it choose what is answered. */
async function prepare(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 }).catch((error: Error) => {
    throw new Error(`INDEX_DIR=${dir}: ${error.message}; make it writable for the server's account`);
  });
  const stat = await lstat(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.())
    throw new Error(
      `INDEX_DIR=${dir} must be a folder of the server's own account; run: chown ${process.getuid?.()} ${dir}`,
    );
  await access(dir, constants.W_OK | constants.X_OK).catch(() => {
    throw new Error(`INDEX_DIR=${dir} is not writable; add it to ReadWritePaths= of the unit`);
  });
}
