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

export function sessionKey(session: string): string {
  return `${PREFIX}{${session}}`;
}

export function eventsKey(session: string, stream: string): string {
  return `${sessionKey(session)}:e:${stream}`;
}

/** Hash: the session's calls in progress, by stream. */
export function sessionCallsKey(session: string): string {
  return `${sessionKey(session)}:k`;
}

/** Exists for some minutes after the session was removed. */
export function removedKey(session: string): string {
  return `${sessionKey(session)}:d`;
}

/** Sorted set: the sessions of a principal by their last use. */
export function usedByKey(principal: string): string {
  return `${PREFIX}used-by:${principal}`;
}

/** Hash: the instance's calls in progress, by stream. */
export function instanceCallsKey(instance: string): string {
  return `${PREFIX}calls:${instance}`;
}
