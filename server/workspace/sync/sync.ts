import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { tryLock } from "../../lock.ts";
import { Periodic } from "../../periodic.ts";
import { bringCopy } from "./copy.ts";
import type { Credential, Remote } from "./settings.ts";

/** The state of the copy of one remote. `failed`: the last good copy is served, if there is one. */
export interface SyncState {
  state: "waiting" | "cloning" | "fetching" | "ready" | "failed";
  /** While git transfers objects. */
  percent?: number;
  /** Time of the last successful fetch, ISO 8601. */
  at?: string;
  reason?: string;
}

export interface SyncOptions {
  /** The folder of the workspace. */
  dir: string;
  remotes: readonly Remote[];
  credentials: readonly Credential[];
  /** From the end of one round to the start of the next, seconds. */
  everySeconds: number;
  /** Called when a copy has changed. */
  onChanged: () => void;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** The folder of an interrupted clone, as copy.ts names it. */
const PARTIAL = /^\.new-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export type SyncListener = (name: string, state: SyncState) => void;

/** Keeps copies of remotes in the workspace up to date, one after the other, in the background. */
export class Sync {
  readonly #options: SyncOptions;
  readonly #states = new Map<string, SyncState>();
  readonly #listeners = new Set<SyncListener>();
  readonly #rounds: Periodic;

  constructor(options: SyncOptions) {
    this.#options = options;
    for (const { name } of options.remotes) this.#states.set(name, { state: "waiting" });
    this.#rounds = new Periodic({
      everyMs: options.everySeconds * 1_000,
      round: (signal) => this.#round(signal),
      onError: (error) => this.#failAll(error),
    });
  }

  start(): void {
    if (this.#options.remotes.length > 0) this.#rounds.start("now");
  }

  /** Updates each copy now. */
  refresh(): Promise<void> {
    return this.#rounds.run();
  }

  /** @returns undefined for a repository that is not a copy of a remote */
  state(name: string): SyncState | undefined {
    return this.#states.get(name);
  }

  /** Calls the listener on each change, with each per cent of progress. @returns ends the subscription */
  onState(listener: SyncListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A summary for operators; "" without remotes. */
  describe(): string {
    return [...this.#states]
      .map(([name, { state, percent, reason }]) => {
        const detail = state === "failed" ? ` (${reason})` : percent === undefined ? "" : ` ${percent} %`;
        return `${name} ${state}${detail}`;
      })
      .join(", ");
  }

  close(): Promise<void> {
    return this.#rounds.stop(new Error("the server is shutting down"));
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { dir, remotes } = this.#options;
    await mkdir(dir, { recursive: true });
    // The two instances of a release switch share the folder. One of them does the work.
    const unlock = await tryLock(join(dir, ".sync.lock"));
    if (!unlock) return;
    try {
      for (const name of await readdir(dir))
        if (PARTIAL.test(name)) await rm(join(dir, name), { recursive: true, force: true });
      for (const remote of remotes) await this.#update(remote, signal);
    } finally {
      unlock();
    }
  }

  async #update(remote: Remote, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { dir, credentials, log, onChanged } = this.#options;
    const { name } = remote;
    const before = this.#states.get(name);
    const kept = before?.at === undefined ? {} : { at: before.at };
    try {
      const onProgress = (state: "cloning" | "fetching", percent: number) => {
        if (this.#states.get(name)?.percent !== percent) this.#set(name, { ...kept, state, percent });
      };
      const changed = await bringCopy(remote, { dir, credentials, signal, onProgress });
      this.#set(name, { state: "ready", at: new Date().toISOString() });
      if (!changed) return;
      log.info({ repo: name }, "workspace: new commits");
      onChanged();
    } catch (error) {
      if (signal.aborted) return;
      const reason = (error as Error).message;
      this.#set(name, { ...kept, state: "failed", reason });
      if (before?.reason !== reason) log.warn({ repo: name, reason }, "workspace: the last good copy stays");
    }
  }

  #failAll({ message }: Error): void {
    const { dir, remotes, log } = this.#options;
    const reason = `${dir}: ${message}; make it writable for the server's account`;
    for (const { name } of remotes) this.#set(name, { state: "failed", reason });
    log.warn({ reason }, "workspace");
  }

  #set(name: string, state: SyncState): void {
    this.#states.set(name, state);
    for (const listener of this.#listeners) listener(name, state);
  }
}
