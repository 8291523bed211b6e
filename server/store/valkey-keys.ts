/** The keys in Valkey; valkey-scripts.ts says what those of a session hold. */
const PREFIX = "mcp-edge:";

export const KEYS = {
  /** Hashes of all instances: number of heartbeats, and slot. */
  beats: `${PREFIX}beats`,
  slots: `${PREFIX}slots`,
  /** Sorted set: all sessions by their last use. */
  used: `${PREFIX}used`,
  /** Set: the principals that have sessions. */
  principals: `${PREFIX}principals`,
  probe: `${PREFIX}probe`,
} as const;

export const sessionKey = (session: string) => `${PREFIX}{${session}}`;

export const eventsKey = (session: string, stream: string) => `${sessionKey(session)}:e:${stream}`;

/** Hash: the session's calls in progress, by stream. */
export const sessionCallsKey = (session: string) => `${sessionKey(session)}:k`;

/** Exists for some minutes after the session was removed. */
export const removedKey = (session: string) => `${sessionKey(session)}:d`;

/** Sorted set: the sessions of a principal by their last use. */
export const usedByKey = (principal: string) => `${PREFIX}used-by:${principal}`;

/** Hash: the instance's calls in progress, by stream. */
export const instanceCallsKey = (instance: string) => `${PREFIX}calls:${instance}`;
