import type { FactsChange } from "./facts.ts";

/** A JSON-RPC request id, as the client chose it. */
export type RequestId = string | number;

/** What a session has been told, and has asked for, since it was opened. */
export interface SessionFacts {
  /** The client sent `notifications/initialized`. */
  readonly initialized: boolean;
  readonly logLevel?: string | undefined;
  /** Subscribed resources, each with the version that the client was last told of. */
  readonly subscriptions: Readonly<Record<string, string>>;
  /** Stamps of the lists (tools, prompts, resources) that the client was last told of. */
  readonly lists: Readonly<Record<string, string>>;
}

export const NO_FACTS: SessionFacts = { initialized: false, subscriptions: {}, lists: {} };

/** Everything that is needed to serve a 2025-era session again: replaying `params` rebuilds the rest. */
export interface SessionRecord {
  readonly id: string;
  /** Who opened it. */
  readonly principal: string;
  /** The params of its `initialize`. */
  readonly params: unknown;
  readonly facts: SessionFacts;
}

/** A POST that is being answered: its stream, and the instance that works on it. */
export interface CallRecord {
  readonly session: string;
  readonly stream: string;
  readonly instance: string;
  readonly requests: readonly RequestId[];
}

/** One message of a stream. `n` orders the messages of a stream; undefined lets the store choose the next. */
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

/** What a session's newest notification stream begins with. */
export interface StreamClaim {
  readonly claim: number;
  /** 0 before the first event. */
  readonly last: number;
}

/** Changes of one moment, written together: the calls that began, their events, then the calls that ended. */
export interface Batch {
  readonly started: readonly CallRecord[];
  readonly events: readonly EventRecord[];
  readonly ended: readonly CallRecord[];
}

/** The stream of what belongs to no call; a GET reads it. */
export const STANDALONE = "_GET_stream";

/** The `n` of the error that ends a call whose instance is gone: after all that the instance itself can have sent. */
export const LAST_N = Number.MAX_SAFE_INTEGER;

/** Limits that hold for every store. */
export const LIMITS = {
  /** A session that nobody used for so long is forgotten, milliseconds. */
  sessionTtlMs: 30 * 24 * 3_600_000,
  /** Sessions kept; beyond it those of the principals that have most go, the least recently used first. */
  maxSessions: 100_000,
  /** How long an event can be resumed from, milliseconds. */
  eventTtlMs: 15 * 60_000,
  /** Events kept for one session. */
  maxEvents: 1_000,
  /** Characters of events kept for one session. */
  maxEventChars: 8 * 1024 * 1024,
  /** Messages between instances are read within fractions of a second, milliseconds. */
  messageTtlMs: 60_000,
} as const;

/**
 * What outlives a process: the sessions of the 2025 era and their undelivered events, and the words that instances of the server
 * exchange. Every method may reject when the store cannot be reached.
 */
export interface Store {
  /** For logs and checks. */
  readonly name: string;
  /**
   * Writes a session, also one that is there already.
   *
   * @param keep sessions of its principal that stay, this one among them; the least recently used go. 0: all. Default: all
   */
  create(record: SessionRecord, keep?: number): Promise<void>;
  read(id: string): Promise<SessionRecord | undefined>;
  /** Changes the facts of a session that is still there, in one step (see changedFacts). */
  changeFacts(id: string, change: FactsChange): Promise<void>;
  /**
   * Counts the notification streams that clients open for a session, in one step: of two that are open, the one with the higher claim
   * stays.
   *
   * @returns the claim, and the `n` of the last event of the notification stream; undefined for a session that is not there
   */
  claimStream(id: string): Promise<StreamClaim | undefined>;
  /** The highest claim so far; 0 when no stream was opened yet, undefined for a session that is not there. */
  lastClaim(id: string): Promise<number | undefined>;
  /** Notes that sessions are in use. */
  touch(sessions: readonly Pick<SessionRecord, "id" | "principal">[]): Promise<void>;
  /** Forgets a session and its events. */
  remove(id: string): Promise<void>;

  write(batch: Batch): Promise<void>;
  /** The call that a stream belongs to, while it runs. Ask before events(): an ended call has all its events written. */
  call(session: string, stream: string): Promise<CallRecord | undefined>;
  /** The first `limit` events after `after`, in order. Default: all. */
  events(session: string, stream: string, after: number, limit?: number): Promise<StoredEvent[]>;

  /** Counts this instance's heart beats up. @returns the count of every instance */
  beat(instance: string, slot: string): Promise<Map<string, { slot: string; count: number }>>;
  /** The count of every instance, without a beat. */
  instances(): Promise<Map<string, { slot: string; count: number }>>;
  /** Forgets an instance and gives each of its calls the event that `message` makes. @returns the calls */
  bury(instance: string, message: (request: RequestId) => string): Promise<CallRecord[]>;

  /** Sends a text to one instance, or to all others with "*". */
  post(from: string, to: string, text: string): Promise<void>;
  /** Delivers what is posted to `instance` from now on. */
  receive(instance: string, listener: (text: string) => void): Promise<void>;
  /** Looks for what was posted just now; for a store that must be asked. */
  poll(): void;

  /**
   * Drops what is older than LIMITS allow. Of more than `maxSessions` sessions (default: LIMITS.maxSessions) those of the principals that
   * have most go: nobody can push out the sessions of somebody who has fewer.
   */
  sweep(maxSessions?: number): Promise<void>;
  /** Rejects when the store does not work. @returns a fact worth showing */
  check(): Promise<string>;
  close(): Promise<void>;
}
