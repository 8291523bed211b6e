import { join } from "node:path";
import type { Capabilities } from "../../capabilities/registry.ts";
import { Periodic } from "../../periodic.ts";
import { ToolError } from "../../tool-error.ts";
import type { Repository, Workspace } from "../../workspace/workspace.ts";
import { nativeFile, VECTORS } from "../assets.ts";
import { IndexFolder, VECTORS_FILE } from "../folder.ts";
import { JobPool } from "../job-pool.ts";
import type { JobResult } from "../jobs.ts";
import { JobThread } from "../thread.ts";
import { type EmbeddingService, embed } from "./embeddings.ts";

/** Number of passages in one request. */
const BATCH = 64;
/** See SemanticOptions. */
const CALL_MS = 9_500;
/** JavaScript heap of a thread, MiB. */
const HEAP_MB = 256;

export interface SemanticOptions {
  /** INDEX_DIR. */
  dir: string;
  workspace: Workspace;
  capabilities: Capabilities;
  /** undefined if EMBEDDINGS_URL is not set. */
  service: EmbeddingService | undefined;
  pollSeconds: number;
  /** Time limit of a query, milliseconds. Default 9,500. */
  callMs?: number | undefined;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** Keeps embeddings of the indexed files up to date in the background. Without an embedding service it does nothing. */
export class Semantic {
  readonly #options: SemanticOptions;
  readonly #thread = new JobThread(HEAP_MB);
  readonly #queries = new JobPool("searches by meaning", 1, HEAP_MB);
  readonly #progress = new Map<string, { missing: number; all: number }>();
  readonly #rounds: Periodic;

  constructor(options: SemanticOptions) {
    this.#options = options;
    const { service, capabilities, log, pollSeconds } = options;
    capabilities.set("embeddings", false, service ? "not checked yet" : "EMBEDDINGS_URL is not set");
    this.#rounds = new Periodic({
      everyMs: pollSeconds * 1_000,
      round: async (signal) => service && this.#round(service, signal),
      onError: ({ message: reason }) => {
        capabilities.set("embeddings", false, reason);
        log.warn({ reason }, "embeddings");
      },
    });
  }

  start(): void {
    if (!this.#options.service) return;
    const missing = `${VECTORS} is missing: native/${VECTORS} next to server.mjs, or run: npm ci`;
    if (nativeFile(VECTORS)) this.#rounds.start("now");
    else this.#options.capabilities.set("embeddings", false, missing);
  }

  /** Requests each missing embedding now. */
  refresh(): Promise<void> {
    return this.#rounds.run();
  }

  /** The number of passages of a repository, and of those without an embedding. */
  progress(repo: Repository): { missing: number; all: number } {
    return this.#progress.get(repo.root) ?? { missing: 0, all: 0 };
  }

  /** @throws ToolError if there is no index yet, or the service does not respond */
  async query(
    repo: Repository,
    args: { query: string; path: string; limit: number },
    signal: AbortSignal,
  ): Promise<JobResult<"semantic">> {
    const { service, callMs = CALL_MS } = this.#options;
    if (!service)
      throw new ToolError(
        "This server has no embedding service (EMBEDDINGS_URL). Use search_text or search.",
      );
    const place = await this.#place(repo, service);
    if (!place)
      throw new ToolError(
        `The index of repository ${repo.name} is being built. Try again soon, or use search_text.`,
      );
    const limit = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
    const [embedding = []] = await embed(service, [args.query], limit).catch((error: Error) => {
      signal.throwIfAborted();
      throw new ToolError(`${error.message}. Use search_text meanwhile.`);
    });
    return this.#queries.run("semantic", { ...place, ...args, embedding }, { signal, timeoutMs: callMs });
  }

  async close(): Promise<void> {
    const stopped = this.#rounds.stop(new Error("the server is shutting down"));
    await Promise.all([this.#thread.close(), this.#queries.close()]);
    await stopped;
  }

  async #place({ root }: Repository, { model }: EmbeddingService) {
    const folder = new IndexFolder(this.#options.dir, root);
    const database = await folder.current();
    return database === undefined
      ? undefined
      : { database, root, model, vectors: join(folder.path, VECTORS_FILE) };
  }

  async #round(service: EmbeddingService, signal: AbortSignal): Promise<void> {
    const { workspace, capabilities } = this.#options;
    // Also if there is nothing to do, so that the loss of the service is noticed.
    await embed(service, ["ready?"], signal);
    capabilities.set("embeddings", true, `${service.model} at ${service.url.origin}`);
    for (const repo of await workspace.repositories()) await this.#update(repo, service, signal);
  }

  async #update(repo: Repository, service: EmbeddingService, signal: AbortSignal): Promise<void> {
    const place = await this.#place(repo, service);
    if (!place) return;
    let embedded = 0;
    for (let last = Number.POSITIVE_INFINITY; ; ) {
      const { pieces, missing, all } = await this.#thread.run("vectorsMissing", { ...place, limit: BATCH });
      this.#progress.set(repo.root, { missing, all });
      // Passages that stay missing are in files that have changed. The next round includes them.
      if (pieces.length === 0 || missing >= last) break;
      last = missing;
      const vectors_of = await embed(
        service,
        pieces.map((p) => p.text),
        signal,
      );
      await this.#thread.run("vectorsStore", { ...place, hashes: pieces.map((p) => p.hash), vectors_of });
      embedded += pieces.length;
    }
    if (embedded > 0) this.#options.log.info({ repo: repo.name, pieces: embedded }, "embedded");
  }
}
