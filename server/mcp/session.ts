import type { Principal } from "../auth/principal.ts";
import type { SessionState, StateChange } from "../store/session-state.ts";
import type { SessionServer } from "./session-server.ts";
import type { SessionTransport } from "./session-transport.ts";

/** A 2025-era session in this process's memory: the connected server and transport of one client. */
export interface Session {
  readonly id: string;
  /** The principal that opened it. No other may use it: a session id authenticates nobody. */
  readonly principal: Principal;
  readonly transport: SessionTransport;
  readonly server: SessionServer;
  /** The params of the client's `initialize`; undefined before it, and where they are too long to be kept. */
  initialize: unknown;
  state: SessionState;
  /** The store has its record. */
  stored: boolean;
  /** Changes of the state that the store has not confirmed yet. */
  readonly unconfirmed: Set<StateChange>;
  /** Ends the notification stream that is open at this instance, if any. */
  endStream: (() => void) | undefined;
  /** The claim of that stream; undefined while it is not known. */
  claim: number | undefined;
  /** The highest claim of a stream that another instance opened for this session. */
  remoteClaim: number;
  /** Set while the state is read again, because another instance changed it. */
  refreshing: Promise<void> | undefined;
  /** The notifications of changes that it is being sent. */
  notifying?: Promise<void> | undefined;
}

/** Called by a session's server for `resources/subscribe` and `resources/unsubscribe`. */
export interface SessionHooks {
  subscribe(uri: string, version: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
}
