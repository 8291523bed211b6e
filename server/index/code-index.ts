import { existsSync } from "node:fs";
import type { Capabilities } from "../capabilities/registry.ts";
import { Periodic } from "../periodic.ts";
import type { CallContext } from "../shares/progress.ts";
import { ToolError } from "../tool-error.ts";
import type { Repository, Workspace } from "../workspace/workspace.ts";
import { nativeFile, STRUCTURAL_ADDON, wasmFile } from "./assets.ts";
import { CurrentDatabases } from "./current-databases.ts";
import { IndexFolder, prune } from "./folder.ts";
import { IndexBuilder } from "./index-builder.ts";
import { prepareIndexDir } from "./index-dir.ts";
import { type IndexState, IndexStates } from "./index-states.ts";
import { JobPool } from "./job-pool.ts";
import type { JobArgs, JobResult } from "./jobs.ts";
import { onCurrent } from "./on-current.ts";
import type { Imported } from "./scip/import.ts";
import type { Indexer } from "./scip/indexer.ts";
import { PreciseBuilder } from "./scip/precise-builder.ts";
import { pythonIndexer } from "./scip/python/indexer.ts";
import { TYPESCRIPT_INDEXER } from "./scip/typescript/indexer.ts";
import { removeUploads, withUpload } from "./scip/upload.ts";
import { isNarrow } from "./text/search.ts";
import type { Listing } from "./text/text-tree.ts";

const CALL_MS = 9_500;
/** Time limit of a search of text by the index, milliseconds. */
const TEXT_MS = 2_000;
/** Threads of each pool: one for a caller with a long job, one for all other callers. Started when needed. */
const QUERY_THREADS = 2;
/** JavaScript heap of a thread, MiB. */
const QUERY_HEAP_MB = 96;

export interface CodeIndexOptions {
  /** INDEX_DIR; created if missing. */
  dir: string;
  workspace: Workspace;
  capabilities: Capabilities;
  /** Interval of the checks for changed repositories, seconds. */
  pollSeconds: number;
  /** Whether the server itself makes precise indexes of TypeScript and JavaScript. Default: only when refreshPrecise is called. */
  typescript?: boolean;
  /** INDEX_PYTHON: the index.js of scip-python. Default: no precise indexes of Python. */
  python?: string | undefined;
  /** Time limit of a job, milliseconds. Default 9,500. */
  callMs?: number | undefined;
  /** Milliseconds since the epoch. Default: the system clock. */
  now?: () => number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

function indexersOf({ typescript, python }: CodeIndexOptions): Indexer[] {
  const built = typescript === false ? [] : [TYPESCRIPT_INDEXER];
  return python === undefined ? built : [...built, pythonIndexer(python)];
}

type Queries =
  | "findSymbol"
  | "overview"
  | "references"
  | "definition"
  | "calls"
  | "explore"
  | "repoMap"
  | "search";

const NO_FOLDER =
  "This server has no index folder yet, so it cannot keep an index. Try again soon, or see INDEX_DIR.";

/** Queries that may read many files. */
const LONG: ReadonlySet<Queries> = new Set<Queries>(["references", "calls", "explore", "repoMap"]);

/** The unit of the progress of a job. */
const UNITS: Partial<Record<Queries, string>> = { references: "files", repoMap: "names" };

/**
 * The index of the whole workspace. It is updated in one thread and queried in two pools of others, so that a long structural search does
 * not delay the lookup of a symbol, one caller does not delay another, and nothing delays the server.
 */
export class CodeIndex {
  readonly #options: CodeIndexOptions;
  readonly #lookups = new JobPool("lookups in the index", QUERY_THREADS, QUERY_HEAP_MB);
  readonly #scans = new JobPool("searches of the code", QUERY_THREADS, QUERY_HEAP_MB);
  readonly #states = new IndexStates();
  readonly #builder: IndexBuilder;
  readonly #precise: PreciseBuilder;
  readonly #updates: Periodic;
  readonly #databases: CurrentDatabases;

  constructor(options: CodeIndexOptions) {
    const { dir, workspace, capabilities, log, pollSeconds, now = Date.now } = options;
    this.#options = options;
    this.#databases = new CurrentDatabases(dir, this.#states);
    this.#builder = new IndexBuilder({
      dir,
      workspace,
      states: this.#states,
      onState: () => this.#publish(),
      onReplaced: (database) => {
        for (const pool of [this.#lookups, this.#scans]) pool.inEach("closeOthers", { database });
      },
      now,
      log,
    });
    this.#precise = new PreciseBuilder({
      dir,
      workspace,
      indexers: indexersOf(options),
      states: this.#states,
      pollSeconds,
      now,
      log,
    });
    this.#updates = new Periodic({
      everyMs: pollSeconds * 1_000,
      round: (signal) => this.#builder.round(signal),
      onError: ({ message }) => log.warn({ reason: message }, "index"),
    });
    capabilities.set("index", false, "not built yet");
    const structural = nativeFile(STRUCTURAL_ADDON);
    const missing = `${STRUCTURAL_ADDON} is missing: native/${STRUCTURAL_ADDON} next to server.mjs, or run: npm ci`;
    capabilities.set("structural", structural !== undefined, structural ?? missing);
  }

  /** Starts the updates. Never fails: without a usable folder the capability gives the reason. */
  async start(): Promise<void> {
    const { capabilities, dir } = this.#options;
    try {
      if (!wasmFile("web-tree-sitter.wasm"))
        throw new Error("web-tree-sitter.wasm is missing: wasm/ next to server.mjs, or run: npm ci");
      await prepareIndexDir(dir);
      await prune(dir, existsSync);
      await removeUploads(dir);
      await this.#adoptExisting();
      this.#databases.isUsable = true;
      this.#updates.start("now");
      if (this.#options.typescript || this.#options.python !== undefined) this.#precise.start();
    } catch (error) {
      capabilities.set("index", false, (error as Error).message);
    }
  }

  /** Checks each repository now. @returns when all indexes are up to date */
  async refresh(): Promise<void> {
    if (this.#databases.isUsable) await this.#updates.rerun();
  }

  /** Makes the precise indexes that are due now. @returns when they are made */
  async refreshPrecise(): Promise<void> {
    if (this.#databases.isUsable) await this.#precise.refresh();
  }

  state(repo: Repository): IndexState {
    return this.#states.get(repo.root);
  }

  /** Runs a query on the index of a repository. @throws ToolError if it has no index yet */
  async query<N extends Queries>(
    name: N,
    repo: Repository,
    args: Omit<JobArgs<N>, "database" | "root">,
    call: CallContext,
  ): Promise<JobResult<N>> {
    const pool = LONG.has(name) ? this.#scans : this.#lookups;
    return onCurrent(
      () => this.#databases.require(repo, call),
      (database) => {
        const job = { ...args, database, root: repo.root } as unknown as JobArgs<N>;
        return pool.run(name, job, this.#optionsOf(call, UNITS[name]));
      },
    );
  }

  /**
   * Searches text by the index of a repository.
   *
   * @returns undefined if that has no index, or the index does not narrow the search enough
   */
  async searchText(
    repo: Repository,
    args: Omit<JobArgs<"searchText">, "database" | "root" | "listing">,
    listing: () => Promise<Listing>,
    { signal }: CallContext,
  ): Promise<JobResult<"searchText">> {
    const { log } = this.#options;
    const database = isNarrow(args) ? await this.#databases.find(repo) : undefined;
    if (database === undefined) return undefined;
    const job = { ...args, database, root: repo.root, listing: await listing() };
    try {
      return await this.#lookups.run("searchText", job, { signal, timeoutMs: TEXT_MS });
    } catch (error) {
      signal.throwIfAborted();
      // ripgrep searches instead.
      if (!(error instanceof ToolError))
        log.warn({ reason: (error as Error).message }, "search by the index");
      return undefined;
    }
  }

  /** The text files that searchText leaves out because of their size; none without an index. */
  async tooLargeTexts(
    repo: Repository,
    args: Omit<JobArgs<"tooLargeTexts">, "database" | "root">,
    call: CallContext,
  ): Promise<string[]> {
    return onCurrent(
      () => this.#databases.find(repo),
      async (database) =>
        database === undefined
          ? []
          : this.#lookups.run("tooLargeTexts", { ...args, database, root: repo.root }, this.#optionsOf(call)),
    );
  }

  /** Runs a structural search. It needs no index, but is faster with one. */
  async structural(
    repo: Repository,
    args: Omit<JobArgs<"structural">, "database" | "root">,
    call: CallContext,
  ): Promise<JobResult<"structural">> {
    return onCurrent(
      () => this.#databases.find(repo),
      (database) =>
        this.#scans.run("structural", { ...args, database, root: repo.root }, this.#optionsOf(call, "files")),
    );
  }

  /**
   * Adds a SCIP index that a client sends.
   *
   * @param commit full hash of the commit that was indexed
   * @throws ToolError if it is not an index of that commit, or too large
   */
  async receiveScip(
    repo: Repository,
    { stream, commit }: { stream: AsyncIterable<Buffer>; commit: string },
    signal: AbortSignal,
  ): Promise<Imported> {
    const { dir } = this.#options;
    if (!this.#databases.isUsable) throw new ToolError(NO_FOLDER);
    return withUpload(dir, stream, signal, (file) => this.importScip(repo, { file, commit }, signal));
  }

  /** Adds a SCIP index from a file. See receiveScip. */
  importScip(
    repo: Repository,
    { file, commit }: { file: string; commit: string },
    signal: AbortSignal,
  ): Promise<Imported> {
    if (!this.#databases.isUsable) throw new ToolError(NO_FOLDER);
    return this.#precise.import({ root: repo.root, file, commit, source: "upload" }, signal);
  }

  /** A summary for operators. */
  describe(): string {
    const states = this.#states.all();
    const building = states.find((s) => s.state === "building");
    const progress = building?.total ? `; building: ${building.done} of ${building.total} files` : "";
    return `${this.#states.usable} of ${states.length} repositories indexed${progress}`;
  }

  async close(): Promise<void> {
    const stopped = this.#updates.stop();
    await Promise.all([
      this.#lookups.close(),
      this.#scans.close(),
      this.#builder.close(),
      this.#precise.close(),
    ]);
    await stopped;
  }

  /** An index of an earlier process serves from the start, until it is known whether it is current. */
  async #adoptExisting(): Promise<void> {
    for (const { root } of await this.#options.workspace.repositories().catch(() => []))
      if ((await new IndexFolder(this.#options.dir, root).current()) !== undefined)
        this.#states.set(root, { state: "updating" });
    if (this.#states.usable > 0) this.#publish();
  }

  #publish(): void {
    const states = this.#states.all();
    const usable = this.#states.usable > 0;
    const failed = states.find((s) => s.state === "failed");
    const why = usable
      ? `SQLite in ${this.#options.dir}`
      : (failed?.reason ?? (states.length === 0 ? "there is no repository" : "being built"));
    this.#options.capabilities.set("index", usable, why);
  }

  #optionsOf({ signal, progress }: CallContext, unit = "items") {
    const onProgress =
      progress && ((done: number, total: number) => progress(done, total, `${done} of ${total} ${unit}`));
    return { signal, timeoutMs: this.#options.callMs ?? CALL_MS, onProgress };
  }
}
