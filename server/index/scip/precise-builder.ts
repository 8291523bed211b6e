import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tryLock } from "../../lock.ts";
import { Periodic } from "../../periodic.ts";
import { runChild } from "../../workspace/child.ts";
import { listGitFiles } from "../../workspace/git.ts";
import type { Repository, Workspace } from "../../workspace/workspace.ts";
import { IndexFolder } from "../folder.ts";
import type { IndexStates } from "../index-states.ts";
import { JobThread } from "../thread.ts";
import { changedBetween, treeState } from "../work-tree.ts";
import { commitsOf, PRECISE_FILE, PRECISE_LOCK } from "./database.ts";
import type { Indexer, IndexerRun } from "./indexer.ts";
import { memoryBudget } from "./memory-budget.ts";

/** Time limit of an indexer, milliseconds. */
const LIMIT_MS = 15 * 60_000;
/** A run is followed by a pause of so many times its length: the indexers have at most a fifth of a core. */
const PAUSE = 4;
/** Wait before a failed index is tried again for the same commit, milliseconds. */
const RETRY_MS = 60 * 60_000;
/** JavaScript heap of the thread that reads SCIP files, MiB. */
const HEAP_MB = 128;
/** Least memory that an indexer can use, MiB: its own libraries take most of it. */
const LEAST_MB = 160;

export interface PreciseBuilderOptions {
  /** INDEX_DIR. */
  dir: string;
  workspace: Workspace;
  /** The programs that make indexes, one for each language. */
  indexers: readonly Indexer[];
  /** The states of the lexical indexes: a precise one is made after them. */
  states: IndexStates;
  pollSeconds: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/**
 * Keeps the precise indexes up to date, one repository and language after the other, by indexers in processes of their own. Until an index
 * is there, and without one, answers are lexical.
 */
export class PreciseBuilder {
  readonly #options: PreciseBuilderOptions;
  readonly #rounds: Periodic;
  /** The commit that was tried last, and when the next run may begin, by root and tool. */
  readonly #tried = new Map<string, { commit: string; failed: boolean; next: number }>();
  readonly #thread = new JobThread(HEAP_MB);

  constructor(options: PreciseBuilderOptions) {
    this.#options = options;
    this.#rounds = new Periodic({
      everyMs: options.pollSeconds * 1_000,
      round: (signal) => this.#round(signal),
      onError: ({ message }) => options.log.warn({ reason: message }, "precise index"),
    });
  }

  start(): void {
    this.#rounds.start("later");
  }

  /** Checks each repository now, also during a pause. @returns when all indexes that can be made are made */
  refresh(): Promise<void> {
    for (const tried of this.#tried.values()) tried.next = 0;
    return this.#rounds.rerun();
  }

  /** Reads a SCIP file into the indexes of a repository. See importScip. */
  import(job: Omit<Parameters<typeof import("./import.ts").importScip>[0], "dir">, signal?: AbortSignal) {
    return this.#thread.run(
      "importScip",
      { ...job, dir: this.#options.dir },
      { signal, timeoutMs: LIMIT_MS },
    );
  }

  async close(): Promise<void> {
    const stopped = this.#rounds.stop();
    await this.#thread.close();
    await stopped;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { workspace, indexers } = this.#options;
    for (const repo of await workspace.repositories().catch(() => []))
      for (const indexer of indexers) {
        if (signal.aborted) return;
        await this.#try(repo, indexer, signal);
      }
  }

  async #try(repo: Repository, indexer: Indexer, signal: AbortSignal): Promise<void> {
    const { states, now, log } = this.#options;
    const { state, commit } = states.get(repo.root);
    const key = `${indexer.tool} ${repo.root}`;
    const tried = this.#tried.get(key);
    if (state !== "ready" || !commit || now() < (tried?.next ?? 0)) return;
    if (tried?.commit === commit && !tried.failed) return;
    const began = now();
    const outcome = { commit, failed: false };
    try {
      await this.#update(repo, commit, indexer, signal);
    } catch (error) {
      if (signal.aborted) return;
      outcome.failed = true;
      log.warn({ repo: repo.name, tool: indexer.tool, reason: (error as Error).message }, "precise index");
    }
    const pause = outcome.failed ? RETRY_MS : PAUSE * (now() - began);
    this.#tried.set(key, { ...outcome, next: now() + pause });
  }

  async #update(
    { root, name }: Repository,
    commit: string,
    indexer: Indexer,
    signal: AbortSignal,
  ): Promise<void> {
    const { dir, log } = this.#options;
    const folder = new IndexFolder(dir, root).path;
    const before = await commitsOf(join(folder, PRECISE_FILE), indexer.tool);
    if (before.some((index) => index.commit === commit)) return;
    const files = await listGitFiles(root, [], signal);
    if (!files.some((file) => indexer.sources.test(file))) return;
    const unlock = await tryLock(join(folder, PRECISE_LOCK));
    // The other instance of a release switch makes it.
    if (!unlock) return;
    const work = await mkdtemp(join(tmpdir(), "mcp-edge-scip-"));
    try {
      const state = await treeState(root, signal);
      if (state.commit !== commit) return;
      const last = before.find(({ source }) => source === "server")?.commit;
      const changed = last === undefined ? undefined : await changedBetween(root, last, commit);
      const began = performance.now();
      const output = join(work, "index.scip");
      const sources = sourcesOf(changed, indexer);
      // An index stays valid for the files that did not change.
      if (!indexer.isIncremental && sources?.length === 0) return;
      const changedSources = indexer.isIncremental ? sources : undefined;
      await this.#run(indexer, { root, name, files, changed: changedSources, output, work }, signal);
      // What was changed meanwhile is described by neither state.
      if ((await treeState(root, signal)).fingerprint !== state.fingerprint) return;
      const updates = changedSources && last !== undefined ? { updates: last, replaced: changed ?? [] } : {};
      const job = { root, file: output, commit, source: "server" as const, without: state.dirty, ...updates };
      const { documents } = await this.import(job, signal);
      const ms = Math.round(performance.now() - began);
      log.info({ repo: name, tool: indexer.tool, documents, ms }, "precise index");
    } finally {
      unlock();
      await rm(work, { recursive: true, force: true });
    }
  }

  async #run(indexer: Indexer, run: IndexerRun, signal: AbortSignal): Promise<void> {
    const heapMb = memoryBudget();
    if (heapMb < LEAST_MB)
      throw new Error(
        `${indexer.tool} needs ${LEAST_MB} MiB, and ${heapMb} are free; upload an index with mcp-edge index upload`,
      );
    const args = [`--max-old-space-size=${heapMb}`, ...(await indexer.prepare(run))];
    const { code, stderr, stopped } = await runChild(process.execPath, args, {
      cwd: run.work,
      env: { TMPDIR: run.work },
      timeoutMs: LIMIT_MS,
      signal,
    });
    if (code === 0 && !stopped) return;
    signal.throwIfAborted();
    if (/heap out of memory|heap limit/i.test(stderr))
      throw new Error(
        `${indexer.tool} needs more than ${heapMb} MiB; upload an index with mcp-edge index upload`,
      );
    throw new Error(
      stopped
        ? `${indexer.tool} was ended: ${stopped}`
        : `${indexer.tool} ended with ${code}: ${stderr.slice(-500)}`,
    );
  }
}

/** The changed sources; undefined if everything must be indexed again. */
function sourcesOf(
  changed: readonly string[] | undefined,
  { sources, configuration }: Indexer,
): string[] | undefined {
  if (!changed || changed.some((file) => configuration.test(file))) return undefined;
  return changed.filter((file) => sources.test(file));
}
