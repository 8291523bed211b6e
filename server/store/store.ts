import type { SessionState, StateChange } from "./session-state.ts";

/** A JSON-RPC request id, as the client chose it. */
export type RequestId = string | number;

/** What is needed to serve a 2025-era session again: replaying `params` rebuilds the rest. */
export interface SessionRecord {
  readonly id: string;
  /** The principal that opened it. */
  readonly principal: string;
  /** The params of its `initialize`. */
  readonly params: unknown;
  readonly state: SessionState;
}

/** A POST that is being answered: its stream, and the instance that runs it. */
export interface CallRecord {
  readonly session: string;
  readonly stream: string;
  readonly instance: string;
  readonly requests: readonly RequestId[];
}

/** One message of a stream. `n` orders the messages of a stream; the store chooses the next number if it is undefined. */
export interface EventRecord {
  readonly session: string;
  readonly stream: string;
  readonly n: number | undefined;
  /** JSON text. */
  readonly message: string;
}

export interface StoredEvent {
  readonly n: number;
  readonly message: string;
}

/** The position of a newly opened notification stream. */
export interface StreamClaim {
  readonly claim: number;
  /** The `n` of the session's last notification; 0 before the first. */
  readonly last: number;
}

/** One write: calls that started, then events, then calls that ended. */
export interface Batch {
  readonly started: readonly CallRecord[];
  readonly events: readonly EventRecord[];
  readonly ended: readonly CallRecord[];
}

/** A running instance: the slot it was started in, and the number of its heartbeats so far. */
export interface InstanceBeat {
  readonly slot: string;
  readonly count: number;
}

/** The stream of messages that belong to no call. A GET reads it. */
export const STANDALONE = "_GET_stream";

/** The `n` of the error that ends a call whose instance died: higher than any number that the instance can have used. */
export const LAST_N = Number.MAX_SAFE_INTEGER;

/** Limits that hold for every store. */
export const LIMITS = {
  /** A session that is not used for this long expires, milliseconds. */
  sessionTtlMs: 30 * 24 * 3_600_000,
  /** Maximum number of sessions. Beyond it, the principals with the most sessions lose theirs, least recently used first. */
  maxSessions: 100_000,
  /** How long an event can be resumed from, milliseconds. */
  eventTtlMs: 15 * 60_000,
  /** Maximum number of events of one session. */
  maxEvents: 1_000,
  /** Maximum number of characters in the events of one session. */
  maxEventChars: 8 * 1024 * 1024,
  /** Messages between instances are read within fractions of a second, and dropped after this time, milliseconds. */
  messageTtlMs: 60_000,
} as const;

/**
 * What outlives a process: the sessions of the 2025 era, their undelivered events, and the messages between the instances of the server.
 * Every method may reject when the store cannot be reached.
 */
export interface Store {
  /** For logs and checks. */
  readonly name: string;
  /**
   * Writes a session, which may exist already.
   *
   * @param keep maximum number of sessions of its principal, this one included; the least recently used are removed. 0 for no limit.
   *   Default: 0
   */
  create(record: SessionRecord, keep?: number): Promise<void>;
  read(id: string): Promise<SessionRecord | undefined>;
  /** Changes the state of an existing session atomically (see applyChange). Does nothing for a session that was removed. */
  changeState(id: string, change: StateChange): Promise<void>;
  /**
   * Reads the states of many sessions, for an instance that may have missed a message about them.
   *
   * @returns the state of each session; undefined for one that was removed. Ids of which the store knows nothing are left out: a store
   *   that lost its data does not mean that the clients ended their sessions.
   */
  states(ids: readonly string[]): Promise<Map<string, SessionState | undefined>>;
  /**
   * Counts, atomically, the notification streams that clients open for a session. Of two open streams the one with the higher claim wins.
   *
   * @returns undefined for a session that does not exist
   */
  claimStream(id: string): Promise<StreamClaim | undefined>;
  /** The highest claim so far: 0 before the first stream, undefined for a session that does not exist. */
  lastClaim(id: string): Promise<number | undefined>;
  /** Renews the time of last use. */
  touch(sessions: readonly Pick<SessionRecord, "id" | "principal">[]): Promise<void>;
  /** Removes a session and its events. */
  remove(id: string): Promise<void>;

  write(batch: Batch): Promise<void>;
  /** The call that a stream belongs to, while it runs. Read it before events(): all events of an ended call are written. */
  call(session: string, stream: string): Promise<CallRecord | undefined>;
  /** The first `limit` events after `after`, in order. Default: all. */
  events(session: string, stream: string, after: number, limit?: number): Promise<StoredEvent[]>;

  /** Adds one heartbeat of this instance. @returns all instances */
  beat(instance: string, slot: string): Promise<Map<string, InstanceBeat>>;
  /** All instances. */
  instances(): Promise<Map<string, InstanceBeat>>;
  /** Removes a dead instance, and ends each of its calls with the event that `message` makes. @returns the calls */
  reap(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]>;

  /** Sends a text to one instance, or to all others with "*". */
  send(from: string, to: string, text: string): Promise<void>;
  /** Delivers what is sent to `instance` from now on. */
  receive(instance: string, listener: (text: string) => void): Promise<void>;
  /** Delivers now what was sent a moment ago, if the store is polled for messages. */
  poll(): void;

  /**
   * Removes what has expired under LIMITS. Of more than `maxSessions` sessions (default: LIMITS.maxSessions) the principals with the most
   * lose theirs, so that nobody can displace the sessions of a principal that has fewer.
   */
  sweep(maxSessions?: number): Promise<void>;
  /** Rejects when the store does not work. @returns a description for the operator */
  check(): Promise<string>;
  close(): Promise<void>;
}
