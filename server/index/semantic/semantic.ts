import { join } from "node:path";
import type { Capabilities } from "../../capabilities/registry.ts";
import { ToolError } from "../../tool-error.ts";
import type { Repository, Workspace } from "../../workspace/workspace.ts";
import { nativeFile, VECTORS } from "../assets.ts";
import { IndexFolder, VECTORS_FILE } from "../folder.ts";
import { JobPool } from "../job-pool.ts";
import type { JobResult } from "../jobs.ts";
import { JobThread } from "../thread.ts";
import { type EmbeddingService, embed } from "./embeddings.ts";

/** Pieces in one request. */
const BATCH = 64;
const CALL_MS = 9_500;
const HEAP_MB = 256;

export interface SemanticOptions {
  /** INDEX_DIR. */
  dir: string;
  workspace: Workspace;
  capabilities: Capabilities;
  /** undefined: EMBEDDINGS_URL is not set. */
  service: EmbeddingService | undefined;
  pollSeconds: number;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** Vectors of the indexed files by an embedding service, kept up to date beside the requests. Without a service it does nothing. */
export class Semantic {
  readonly #options: SemanticOptions;
  readonly #thread = new JobThread(HEAP_MB);
  readonly #queries = new JobPool("searches by meaning", 1, HEAP_MB);
  readonly #closing = new AbortController();
  readonly #progress = new Map<string, { missing: number; all: number }>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(options: SemanticOptions) {
    this.#options = options;
    const why = options.service ? "not asked yet" : "EMBEDDINGS_URL is not set";
    options.capabilities.set("embeddings", false, why);
  }

  start(): void {
    if (!this.#options.service) return;
    if (nativeFile(VECTORS)) this.#tick();
    else
      this.#options.capabilities.set(
        "embeddings",
        false,
        `${VECTORS} is missing: native/${VECTORS} beside server.mjs, or run: npm ci`,
      );
  }

  /** Asks for every vector that is missing. */
  refresh(): Promise<void> {
    const { service } = this.#options;
    if (!service || this.#closing.signal.aborted) return Promise.resolve();
    this.#round ??= this.#all(service).finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** How many pieces of a repository have no vector yet. */
  progress(repo: Repository): { missing: number; all: number } {
    return this.#progress.get(repo.root) ?? { missing: 0, all: 0 };
  }

  /** @throws ToolError when there is no index yet, or the service does not answer */
  async query(
    repo: Repository,
    args: { query: string; path: string; limit: number },
    signal: AbortSignal,
  ): Promise<JobResult<"semantic">> {
    const { service } = this.#options;
    if (!service) throw new ToolError("This server has no embedding service; use search_text or search.");
    const place = await this.#place(repo, service);
    if (!place)
      throw new ToolError(
        `The index of repository ${repo.name} is being built; try again soon, or use search_text.`,
      );
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]);
    const [embedding = []] = await embed(service, [args.query], limit).catch((error: Error) => {
      signal.throwIfAborted();
      throw new ToolError(`${error.message}. Use search_text meanwhile.`);
    });
    return this.#queries.run("semantic", { ...place, ...args, embedding }, { signal, timeoutMs: CALL_MS });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is going down"));
    clearTimeout(this.#timer);
    await Promise.all([this.#thread.close(), this.#queries.close()]);
    await this.#round?.catch(() => undefined);
  }

  #tick(): void {
    void this.refresh().finally(() => {
      if (this.#closing.signal.aborted) return;
      this.#timer = setTimeout(() => this.#tick(), this.#options.pollSeconds * 1_000).unref();
    });
  }

  async #place({ root }: Repository, { model }: EmbeddingService) {
    const folder = new IndexFolder(this.#options.dir, root);
    const database = await folder.current();
    return database === undefined
      ? undefined
      : { database, root, model, vectors: join(folder.path, VECTORS_FILE) };
  }

  async #all(service: EmbeddingService): Promise<void> {
    const { workspace, capabilities, log } = this.#options;
    const { signal } = this.#closing;
    try {
      // Also when there is nothing to do: a service that has gone is noticed.
      await embed(service, ["ready?"], signal);
      capabilities.set("embeddings", true, `${service.model} at ${service.url.origin}`);
      for (const repo of await workspace.repositories()) await this.#one(repo, service);
    } catch (error) {
      if (signal.aborted) return;
      const reason = (error as Error).message;
      capabilities.set("embeddings", false, reason);
      log.warn({ reason }, "embeddings");
    }
  }

  async #one(repo: Repository, service: EmbeddingService): Promise<void> {
    const { signal } = this.#closing;
    const place = await this.#place(repo, service);
    if (!place) return;
    let asked = 0;
    for (let last = Number.POSITIVE_INFINITY; ; ) {
      const { pieces, missing, all } = await this.#thread.run("vectorsMissing", { ...place, limit: BATCH });
      this.#progress.set(repo.root, { missing, all });
      // Pieces that stay missing are of files that changed; the next round sees them.
      if (pieces.length === 0 || missing >= last) break;
      last = missing;
      const vectors_of = await embed(
        service,
        pieces.map((p) => p.text),
        signal,
      );
      await this.#thread.run("vectorsStore", { ...place, hashes: pieces.map((p) => p.hash), vectors_of });
      asked += pieces.length;
    }
    if (asked > 0) this.#options.log.info({ repo: repo.name, pieces: asked }, "embedded");
  }
}
