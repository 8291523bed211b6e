import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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
import { memoryBudget } from "./memory-budget.ts";
import type { TypescriptRequest } from "./typescript/main.ts";
import { SOURCE } from "./typescript/projects.ts";

/** Time limit of the compiler, milliseconds. */
const LIMIT_MS = 15 * 60_000;
/** A run is followed by a pause of so many times its length: the compiler has at most a fifth of a core. */
const PAUSE = 4;
/** Wait before a failed index is tried again for the same commit, milliseconds. */
const RETRY_MS = 60 * 60_000;
/** JavaScript heap of the thread that reads SCIP files, MiB. */
const HEAP_MB = 128;
/** Least memory that the compiler can use, MiB: its own libraries take most of it. */
const LEAST_MB = 160;
const TOOL = "scip-typescript";

export interface PreciseBuilderOptions {
  /** INDEX_DIR. */
  dir: string;
  workspace: Workspace;
  /** The states of the lexical indexes: a precise one is made after them. */
  states: IndexStates;
  pollSeconds: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/**
 * Keeps the precise indexes of TypeScript and JavaScript up to date, one repository after the other, by the compiler in a process of its
 * own with low priority. Until an index is there, and without one, answers are lexical.
 */
export class PreciseBuilder {
  readonly #options: PreciseBuilderOptions;
  readonly #rounds: Periodic;
  /** The commit that was tried last, and when the next run may begin, by root. */
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
    const { workspace, states, now, log } = this.#options;
    for (const repo of await workspace.repositories().catch(() => [])) {
      if (signal.aborted) return;
      const { state, commit } = states.get(repo.root);
      const tried = this.#tried.get(repo.root);
      if (state !== "ready" || !commit || now() < (tried?.next ?? 0)) continue;
      if (tried?.commit === commit && !tried.failed) continue;
      const began = now();
      const outcome = { commit, failed: false };
      try {
        await this.#update(repo, commit, signal);
      } catch (error) {
        if (signal.aborted) return;
        outcome.failed = true;
        log.warn({ repo: repo.name, reason: (error as Error).message }, "precise index");
      }
      const pause = outcome.failed ? RETRY_MS : PAUSE * (now() - began);
      this.#tried.set(repo.root, { ...outcome, next: now() + pause });
    }
  }

  async #update({ root, name }: Repository, commit: string, signal: AbortSignal): Promise<void> {
    const { dir, log } = this.#options;
    const folder = new IndexFolder(dir, root).path;
    const before = await commitsOf(join(folder, PRECISE_FILE), TOOL);
    if (before.some((index) => index.commit === commit)) return;
    const files = await listGitFiles(root, [], signal);
    if (!files.some((file) => SOURCE.test(file))) return;
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
      const changedSources = sourcesOf(changed);
      await this.#compile({ root, files, changed: changedSources, output }, work, signal);
      // What was changed meanwhile is described by neither state.
      if ((await treeState(root, signal)).fingerprint !== state.fingerprint) return;
      const updates = changedSources && last !== undefined ? { updates: last, replaced: changed ?? [] } : {};
      const job = { root, file: output, commit, source: "server" as const, without: state.dirty, ...updates };
      const { documents } = await this.import(job, signal);
      const ms = Math.round(performance.now() - began);
      log.info({ repo: name, documents, ms }, "precise index");
    } finally {
      unlock();
      await rm(work, { recursive: true, force: true });
    }
  }

  async #compile(request: TypescriptRequest, work: string, signal: AbortSignal): Promise<void> {
    const program = programFile();
    if (!program)
      throw new Error("scip-typescript is not installed: indexer/ next to server.mjs, or run: npm ci");
    const heapMb = memoryBudget();
    if (heapMb < LEAST_MB)
      throw new Error(
        `the compiler needs ${LEAST_MB} MiB, and ${heapMb} are free; upload an index with mcp-edge index upload`,
      );
    const file = join(work, "request.json");
    await writeFile(file, JSON.stringify(request));
    const args = [`--max-old-space-size=${heapMb}`, "--disable-warning=ExperimentalWarning", program, file];
    const { code, stderr, stopped } = await runChild(process.execPath, args, {
      cwd: work,
      timeoutMs: LIMIT_MS,
      signal,
    });
    if (code === 0 && !stopped) return;
    signal.throwIfAborted();
    if (/heap out of memory|heap limit/i.test(stderr))
      throw new Error(
        `the compiler needs more than ${heapMb} MiB; upload an index with mcp-edge index upload`,
      );
    throw new Error(
      stopped
        ? `the compiler was ended: ${stopped}`
        : `the compiler ended with ${code}: ${stderr.slice(-500)}`,
    );
  }
}

/** The changed sources; undefined if everything must be compiled again, since a configuration or the list of packages changed. */
function sourcesOf(changed: readonly string[] | undefined): string[] | undefined {
  if (
    !changed ||
    changed.some((file) => /(?:^|\/)(?:(?:ts|js)config[^/]*|package(?:-lock)?)\.json$/.test(file))
  )
    return undefined;
  return changed.filter((file) => SOURCE.test(file));
}

/** The program next to the bundle of a release, else that of the sources. */
function programFile(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, "indexer/main.mjs"), join(here, "typescript/main.ts")].find((file) => existsSync(file));
}
