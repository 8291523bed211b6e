/** What a client has asked for, and was notified of, since its session was opened. Its JSON is stored: older releases read it too. */
export interface SessionState {
  /** The client sent `notifications/initialized`. */
  readonly initialized: boolean;
  readonly logLevel?: string | undefined;
  /** Subscribed resources, each with the version that the client was last notified of. */
  readonly subscriptions: Readonly<Record<string, string>>;
  /** Fingerprints of the lists (tools, prompts, resources) that the client was last notified of. */
  readonly lists: Readonly<Record<string, string>>;
}

export const INITIAL_STATE: SessionState = { initialized: false, subscriptions: {}, lists: {} };

/**
 * A change of a session's state. Only the difference is written, so that two changes at the same time, at one instance or at two, do not
 * undo each other.
 */
export interface StateChange {
  readonly initialized?: true;
  readonly logLevel?: string;
  /** Resources to subscribe to, each with the version that the client knows. */
  readonly subscribe?: Readonly<Record<string, string>>;
  readonly unsubscribe?: readonly string[];
  /** What the client was notified of: list fingerprints and resource versions. Versions of unsubscribed resources are ignored. */
  readonly notified?: {
    readonly lists?: Readonly<Record<string, string>>;
    readonly resources?: Readonly<Record<string, string>>;
  };
}

/** The state after a change. The Lua of valkey-scripts.ts does the same; the stores' contract test holds both to it. */
export function applyChange(state: SessionState, change: StateChange): SessionState {
  const subscriptions = { ...state.subscriptions, ...change.subscribe };
  for (const uri of change.unsubscribe ?? []) delete subscriptions[uri];
  for (const [uri, version] of Object.entries(change.notified?.resources ?? {}))
    if (uri in subscriptions) subscriptions[uri] = version;
  return {
    initialized: state.initialized || change.initialized === true,
    ...(state.logLevel === undefined ? {} : { logLevel: state.logLevel }),
    ...(change.logLevel === undefined ? {} : { logLevel: change.logLevel }),
    subscriptions,
    lists: { ...state.lists, ...change.notified?.lists },
  };
}
