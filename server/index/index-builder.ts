import type { Repository, Workspace } from "../workspace/workspace.ts";
import { IndexFolder } from "./folder.ts";
import type { IndexStates } from "./index-states.ts";
import { JobThread } from "./thread.ts";
import { treeState } from "./work-tree.ts";

/** Wait before a failed build is tried again, milliseconds. It doubles with each failure, up to the second value. */
const FIRST_RETRY_MS = 20_000;
const LAST_RETRY_MS = 30 * 60_000;
/** JavaScript heap of the thread that builds, MiB. The WebAssembly memory of the grammars adds at most some 100 MiB. */
const HEAP_MB = 256;

export interface IndexBuilderOptions {
  /** INDEX_DIR. */
  dir: string;
  workspace: Workspace;
  states: IndexStates;
  /** Called when the state of an index has changed. */
  onState: () => void;
  /** Called with the database of an index that replaced an older one. */
  onReplaced: (database: string) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** Keeps the indexes of all repositories up to date, one after the other, in a thread of its own. */
export class IndexBuilder {
  readonly #options: IndexBuilderOptions;
  /** Fingerprint of the work tree that was indexed last, by root. */
  readonly #fingerprints = new Map<string, string>();
  /** When a failed build is tried again, and the wait before that, by root. Milliseconds. */
  readonly #retries = new Map<string, { at: number; wait: number }>();
  #thread: JobThread | undefined;

  constructor(options: IndexBuilderOptions) {
    this.#options = options;
  }

  /** Updates each index whose repository has changed. */
  async round(signal: AbortSignal): Promise<void> {
    const { workspace, states, onState } = this.#options;
    const repositories = await workspace.repositories().catch(() => []);
    const roots = new Set(repositories.map((repo) => repo.root));
    states.keep(roots);
    for (const known of [this.#fingerprints, this.#retries])
      for (const root of known.keys()) if (!roots.has(root)) known.delete(root);
    for (const repo of repositories) {
      if (signal.aborted) return;
      await this.#update(repo, signal);
    }
    // The memory of the grammars only grows, so the thread ends with its work.
    await this.close();
    onState();
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.close();
  }

  async #update(repo: Repository, signal: AbortSignal): Promise<void> {
    const { dir, states, onState, log } = this.#options;
    const { root, name } = repo;
    const before = states.get(root);
    const had = (await new IndexFolder(dir, root).current()) !== undefined;
    let building = false;
    try {
      const { fingerprint } = await treeState(root, signal);
      if (had && this.#fingerprints.get(root) === fingerprint && before.state === "ready") return;
      if (this.#options.now() < (this.#retries.get(root)?.at ?? 0)) return;
      building = true;
      await this.#build(repo, had);
    } catch (error) {
      if (signal.aborted) return;
      if (building) this.#postpone(root);
      const reason = (error as Error).message;
      states.set(root, { state: had ? "ready" : "failed", reason });
      if (before.reason !== reason) log.warn({ repo: name, reason }, "index");
    }
    onState();
  }

  async #build({ root, name }: Repository, had: boolean): Promise<void> {
    const { dir, states, onState, onReplaced, log } = this.#options;
    const state = had ? "updating" : "building";
    states.set(root, { state });
    onState();
    this.#thread ??= new JobThread(HEAP_MB);
    const onProgress = (done: number, total: number) => states.set(root, { state, done, total });
    const started = performance.now();
    const result = await this.#thread.run("buildIndex", { dir, root }, { onProgress });
    if (result.did === "locked") {
      // The index that the other process publishes serves this one too.
      states.set(root, { state, reason: "another process builds it" });
      return;
    }
    this.#retries.delete(root);
    this.#fingerprints.set(root, result.meta?.fingerprint ?? "");
    if (result.did === "full") {
      const database = await new IndexFolder(dir, root).current();
      if (database !== undefined) onReplaced(database);
    }
    states.set(root, { state: "ready", commit: result.meta?.commit ?? "" });
    if (result.did === "nothing") return;
    const { did, read: files_read, meta } = result;
    const ms = Math.round(performance.now() - started);
    log.info({ repo: name, did, files_read, lines: meta?.lines, ms }, "indexed");
  }

  /** A repository that does not fit into the memory of the thread fails each time, and each time takes a core. */
  #postpone(root: string): void {
    const wait = Math.min((this.#retries.get(root)?.wait ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
    this.#retries.set(root, { at: this.#options.now() + wait, wait });
  }
}
