import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { tryLock } from "../../lock.ts";
import { bringCopy } from "./copy.ts";
import type { Credential, Remote } from "./settings.ts";

/** Where the copy of one remote stands. `failed`: the last good copy serves, when there is one. */
export interface SyncState {
  state: "waiting" | "cloning" | "fetching" | "ready" | "failed";
  /** While git is at it. */
  percent?: number;
  /** When it last came through, ISO 8601. */
  at?: string;
  reason?: string;
}

export interface SyncOptions {
  /** The workspace's folder. */
  dir: string;
  remotes: readonly Remote[];
  credentials: readonly Credential[];
  /** From the end of one round to the next, seconds. */
  everySeconds: number;
  /** Called when a copy is different from before. */
  onChanged: () => void;
  log: { info(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** A clone that was cut off, as copy.ts names it. */
const PARTIAL = /^\.new-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export type SyncListener = (name: string, state: SyncState) => void;

/** Keeps copies of remotes in the workspace, one after the other, beside the requests. */
export class Sync {
  readonly #options: SyncOptions;
  readonly #states = new Map<string, SyncState>();
  readonly #listeners = new Set<SyncListener>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(options: SyncOptions) {
    this.#options = options;
    for (const { name } of options.remotes) this.#states.set(name, { state: "waiting" });
  }

  start(): void {
    if (this.#options.remotes.length > 0) this.#tick();
  }

  /** Brings every copy up to date now. */
  refresh(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#round ??= this.#all().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** undefined for a repository that has no remote here. */
  state(name: string): SyncState | undefined {
    return this.#states.get(name);
  }

  /** Told of every change, each per cent of progress among them. @returns ends the subscription */
  onState(listener: SyncListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How far it is, for people; "" without remotes. */
  describe(): string {
    return [...this.#states]
      .map(([name, { state, percent, reason }]) => {
        const detail = state === "failed" ? ` (${reason})` : percent === undefined ? "" : ` ${percent} %`;
        return `${name} ${state}${detail}`;
      })
      .join(", ");
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is going down"));
    clearTimeout(this.#timer);
    await this.#round?.catch(() => undefined);
  }

  #tick(): void {
    void this.refresh().finally(() => {
      if (this.#closing.signal.aborted) return;
      this.#timer = setTimeout(() => this.#tick(), this.#options.everySeconds * 1_000).unref();
    });
  }

  async #all(): Promise<void> {
    const { dir, remotes, log } = this.#options;
    try {
      await mkdir(dir, { recursive: true });
      // The two colours of a release switch share the folder: one of them is enough.
      const unlock = await tryLock(join(dir, ".sync.lock"));
      if (!unlock) return;
      try {
        for (const name of await readdir(dir))
          if (PARTIAL.test(name)) await rm(join(dir, name), { recursive: true, force: true });
        for (const remote of remotes) await this.#one(remote);
      } finally {
        unlock();
      }
    } catch (error) {
      const reason = `${dir}: ${(error as Error).message}; make it writable for the server's account`;
      for (const { name } of remotes) this.#set(name, { state: "failed", reason });
      log.warn({ reason }, "workspace");
    }
  }

  async #one(remote: Remote): Promise<void> {
    const { dir, credentials, log, onChanged } = this.#options;
    const { signal } = this.#closing;
    if (signal.aborted) return;
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

  #set(name: string, state: SyncState): void {
    this.#states.set(name, state);
    for (const listener of this.#listeners) listener(name, state);
  }
}
