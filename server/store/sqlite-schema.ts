/**
 * The schema. Two releases have the file open during a switch, and a switch can be rolled back: only add tables, indexes, and columns with
 * defaults. Column `facts` holds the session state.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, principal TEXT NOT NULL, params TEXT NOT NULL, facts TEXT NOT NULL, used_at INTEGER NOT NULL,
  claim INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_used ON sessions (used_at);
CREATE INDEX IF NOT EXISTS sessions_principal ON sessions (principal, used_at);
CREATE TABLE IF NOT EXISTS events (
  session TEXT NOT NULL, stream TEXT NOT NULL, n INTEGER NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (session, stream, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_at ON events (at);
CREATE TABLE IF NOT EXISTS calls (
  stream TEXT PRIMARY KEY, session TEXT NOT NULL, instance TEXT NOT NULL, requests TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS calls_instance ON calls (instance);
CREATE TABLE IF NOT EXISTS instances (id TEXT PRIMARY KEY, slot TEXT NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL
);
`;

/** Columns of `sessions` that files of older releases lack: the number of streams opened, and the number of the last notification. */
export const ADDED_COLUMNS = ["claim", "last"] as const;

/** Every statement that the store prepares. */
export const SQL = {
  create: `INSERT INTO sessions (id, principal, params, facts, used_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET params = excluded.params, facts = excluded.facts, used_at = excluded.used_at`,
  surplus: "SELECT id FROM sessions WHERE principal = ? ORDER BY used_at DESC, id LIMIT -1 OFFSET ?",
  read: "SELECT principal, params, facts FROM sessions WHERE id = ? AND used_at > ?",
  state: "SELECT facts FROM sessions WHERE id = ?",
  setState: "UPDATE sessions SET facts = ? WHERE id = ?",
  // Events appended by older releases count too, although those do not set `last`.
  claim: `UPDATE sessions SET claim = claim + 1 WHERE id = ?1 RETURNING claim,
    max(last, coalesce((SELECT max(n) FROM events WHERE session = ?1 AND stream = ?2), 0)) AS last`,
  lastClaim: "SELECT claim FROM sessions WHERE id = ?",
  setLast: "UPDATE sessions SET last = ? WHERE id = ?",
  touch: "UPDATE sessions SET used_at = ? WHERE id = ?",
  remove: "DELETE FROM sessions WHERE id = ?",
  removeEvents: "DELETE FROM events WHERE session = ?",
  removeCalls: "DELETE FROM calls WHERE session = ?",
  start: "INSERT OR REPLACE INTO calls (stream, session, instance, requests) VALUES (?, ?, ?, ?)",
  end: "DELETE FROM calls WHERE stream = ? AND instance = ?",
  call: "SELECT instance, requests FROM calls WHERE stream = ? AND session = ?",
  callsOf: "SELECT stream, session, requests FROM calls WHERE instance = ?",
  endAll: "DELETE FROM calls WHERE instance = ?",
  append: "INSERT OR IGNORE INTO events (session, stream, n, message, at) VALUES (?, ?, ?, ?, ?)",
  // Always increases, even if the writers' clocks differ or all earlier events were dropped. Never below the clock, which is where older
  // releases start a stream.
  appendNext: `INSERT INTO events (session, stream, n, message, at)
    SELECT ?1, ?2, max(?3 * 1000, coalesce((SELECT max(n) + 1 FROM events WHERE session = ?1 AND stream = ?2), 0),
      coalesce((SELECT last + 1 FROM sessions WHERE id = ?1), 0)), ?4, ?3 RETURNING n`,
  events: "SELECT n, message FROM events WHERE session = ? AND stream = ? AND n > ? ORDER BY n LIMIT ?",
  trim: `DELETE FROM events WHERE session = ?1 AND (stream, n) IN (
    SELECT stream, n FROM (
      SELECT stream, n, row_number() OVER newest AS place, sum(length(message)) OVER newest AS chars
      FROM events WHERE session = ?1 WINDOW newest AS (ORDER BY at DESC, n DESC)
    ) WHERE place > ?2 OR (chars > ?3 AND place > 1))`,
  beat: "INSERT INTO instances (id, slot, count) VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1",
  instances: "SELECT id, slot, count FROM instances",
  removeInstance: "DELETE FROM instances WHERE id = ?",
  addMessage: "INSERT INTO messages (sender, target, body, at) VALUES (?, ?, ?, ?)",
  lastMessage: "SELECT coalesce(max(id), 0) AS id FROM messages",
  messages: "SELECT id, sender, target, body FROM messages WHERE id > ? ORDER BY id",
  dataVersion: "PRAGMA data_version",
  expired: "SELECT id FROM sessions WHERE used_at <= ? LIMIT ?",
  // Sessions numbered per principal, the most recently used first: the highest numbers go.
  excess: `SELECT id FROM (
      SELECT id, used_at, row_number() OVER (PARTITION BY principal ORDER BY used_at DESC) AS place FROM sessions
    ) ORDER BY place DESC, used_at LIMIT ?`,
  sweepEvents: `DELETE FROM events WHERE (session, stream, n) IN (
    SELECT session, stream, n FROM events WHERE at <= ? LIMIT ?)`,
  sweepMessages:
    "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE at <= ? ORDER BY id LIMIT ?)",
  count: "SELECT count(*) AS sessions FROM sessions",
} as const;
