import { isDeepStrictEqual } from "node:util";
import { Periodic } from "../periodic.ts";
import { applyChange, type StateChange } from "../store/session-state.ts";
import type { PendingWrites } from "./pending-writes.ts";
import { replayLogLevel } from "./replay.ts";
import type { Session } from "./session.ts";
import type { SessionParts } from "./session-parts.ts";

/** Interval at which sessions in memory are compared with the store, milliseconds, and the number that are compared each time. */
const CHECK_MS = 1_000;
const CHECKED = 100;

export interface StateSyncOptions extends SessionParts {
  readonly pendingWrites: PendingWrites;
  /** Another instance removed the session. */
  readonly onRemoved: (session: Session) => void;
}

/** Keeps the state of sessions in step: in this instance's memory, in the store, and in other instances' memory. */
export class StateSync {
  readonly #options: StateSyncOptions;
  readonly #checks: Periodic;
  /** The sessions that are still to be compared in this pass. */
  #unchecked: Session[] = [];

  constructor(options: StateSyncOptions) {
    this.#options = options;
    const { onError } = options;
    this.#checks = new Periodic({ everyMs: CHECK_MS, round: () => this.check(), onError });
  }

  start(): void {
    this.#checks.start();
  }

  stop(): void {
    void this.#checks.stop();
  }

  async change(session: Session, change: StateChange): Promise<void> {
    session.state = applyChange(session.state, change);
    session.unconfirmed.add(change);
    try {
      await this.#write(session, change);
    } catch (error) {
      this.#options.onError(error as Error);
      this.#options.pendingWrites.add(session.id, async () => {
        for (const one of [...session.unconfirmed]) await this.#write(session, one);
      });
    }
  }

  /** Reads the state again, because another instance changed it. */
  refresh(session: Session): void {
    const before = session.refreshing ?? Promise.resolve();
    const refreshing = before
      .then(() => this.#read(session))
      .catch((error: Error) => this.#options.onError(error))
      .finally(() => {
        if (session.refreshing === refreshing) session.refreshing = undefined;
      });
    session.refreshing = refreshing;
  }

  /** Compares some sessions with the store, since the message of a change or of a removal may have been lost. */
  async check(): Promise<void> {
    const { store, cluster, live, onRemoved } = this.#options;
    if (!cluster.peers.others) return;
    if (this.#unchecked.length === 0) this.#unchecked = live.values();
    const sessions = this.#unchecked.splice(0, CHECKED).filter(({ stored }) => stored);
    if (sessions.length === 0) return;
    const states = await store.states(sessions.map(({ id }) => id));
    for (const session of sessions) {
      if (!states.has(session.id) || live.peek(session.id) !== session) continue;
      const state = states.get(session.id);
      if (!state) onRemoved(session);
      else if (session.unconfirmed.size === 0 && !isDeepStrictEqual(state, session.state))
        this.refresh(session);
    }
  }

  async #write(session: Session, change: StateChange): Promise<void> {
    await this.#options.store.changeState(session.id, change);
    session.unconfirmed.delete(change);
    await this.#options.cluster.send("state", { session: session.id });
  }

  async #read(session: Session): Promise<void> {
    const { store } = this.#options;
    const record = await store.read(session.id);
    if (!record) return;
    const { logLevel } = session.state;
    session.state = [...session.unconfirmed].reduce(applyChange, record.state);
    if (record.state.logLevel !== logLevel && session.server.exists) await replayLogLevel(session);
  }
}
