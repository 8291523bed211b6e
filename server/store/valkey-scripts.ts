import type { ChainableCommander, Redis } from "iovalkey";
import { LIMITS } from "./store.ts";
import { sessionKey } from "./valkey-keys.ts";

/**
 * The atomic operations of the Valkey store, as Lua (Valkey and Redis from 6.2 on). All keys of a session contain its id in braces, so that
 * a cluster keeps them together. Keys, for the session S and the prefix P:
 *
 * - `P{S}` hash: principal, params, facts (the session state); `claim`: number of streams opened, `last`: number of the last notification
 * - `P{S}:e:<stream>` stream: the events of one stream, each with the id `<n>-1`
 * - `P{S}:t` hash: events (`n`) and characters (`c`) of the session, and of each stream (`n:<stream>`, `c:<stream>`)
 * - `P{S}:z` sorted set: its streams by the time of their last event
 * - `P{S}:k` hash: the calls in progress, by stream
 * - `P{S}:d` string: marks a removed session for some minutes
 */
const SHARED = `
local function dropStream(base, stream)
  local counts = redis.call('HMGET', base .. ':t', 'n:' .. stream, 'c:' .. stream)
  redis.call('DEL', base .. ':e:' .. stream)
  redis.call('ZREM', base .. ':z', stream)
  redis.call('HDEL', base .. ':t', 'n:' .. stream, 'c:' .. stream)
  -- Subtracted from 0: the minus of a zero would be written as -0, which is no integer to Redis.
  redis.call('HINCRBY', base .. ':t', 'n', 0 - (tonumber(counts[1] or '0')))
  redis.call('HINCRBY', base .. ':t', 'c', 0 - (tonumber(counts[2] or '0')))
end
`;

/** KEYS: session. ARGV: stream, n or "", message, now (ms), maximum events, maximum characters, TTL of an event (ms). @returns 1 if added */
const APPEND = `${SHARED}
local base, stream, n, message, now = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local events = base .. ':e:' .. stream
if n == '' then
  -- Always increases, even if the writers' clocks differ or all earlier events were dropped. Never below the clock, which is where
  -- older releases start a stream.
  local next = now * 1000
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)
  if last[1] then next = math.max(next, tonumber(string.match(last[1][1], '^%d+')) + 1) end
  next = math.max(next, tonumber(redis.call('HGET', base, 'last') or '0') + 1)
  n = string.format('%.0f', next)
  if redis.call('EXISTS', base) == 1 then redis.call('HSET', base, 'last', n) end
end
local added = redis.pcall('XADD', events, n .. '-1', 'm', message)
if type(added) == 'table' and added.err then
  -- Another instance wrote it already: the same error for the same lost call.
  if string.find(added.err, 'equal or smaller', 1, true) then return 0 end
  return added
end
redis.call('HINCRBY', base .. ':t', 'n', 1)
redis.call('HINCRBY', base .. ':t', 'c', #message)
redis.call('HINCRBY', base .. ':t', 'n:' .. stream, 1)
redis.call('HINCRBY', base .. ':t', 'c:' .. stream, #message)
redis.call('ZADD', base .. ':z', now, stream)
local ttl = tonumber(ARGV[7])
while true do
  local old = redis.call('ZRANGE', base .. ':z', 0, 0, 'WITHSCORES')
  if not old[1] or tonumber(old[2]) > now - ttl then break end
  dropStream(base, old[1])
end
local total = redis.call('HMGET', base .. ':t', 'n', 'c')
local count, chars = tonumber(total[1]), tonumber(total[2])
while count > tonumber(ARGV[5]) or (chars > tonumber(ARGV[6]) and count > 1) do
  local oldest = redis.call('ZRANGE', base .. ':z', 0, 0)[1]
  if not oldest then break end
  local key = base .. ':e:' .. oldest
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  if first then
    local length = #first[2][2]
    redis.call('XDEL', key, first[1])
    redis.call('HINCRBY', base .. ':t', 'n', -1)
    redis.call('HINCRBY', base .. ':t', 'c', -length)
    redis.call('HINCRBY', base .. ':t', 'n:' .. oldest, -1)
    redis.call('HINCRBY', base .. ':t', 'c:' .. oldest, -length)
    count, chars = count - 1, chars - length
  else
    dropStream(base, oldest)
  end
end
redis.call('PEXPIRE', events, ttl)
redis.call('PEXPIRE', base .. ':t', ttl)
redis.call('PEXPIRE', base .. ':z', ttl)
return 1
`;

/** applyChange of session-state.ts. KEYS: session. ARGV: a StateChange as JSON. A session that was removed is not created again. */
const CHANGE_STATE = `
local text = redis.call('HGET', KEYS[1], 'facts')
if not text then return 0 end
local state, change = cjson.decode(text), cjson.decode(ARGV[1])
local notified = change.notified or {}
if change.initialized then state.initialized = true end
if change.logLevel then state.logLevel = change.logLevel end
for uri, version in pairs(change.subscribe or {}) do state.subscriptions[uri] = version end
for _, uri in ipairs(change.unsubscribe or {}) do state.subscriptions[uri] = nil end
for uri, version in pairs(notified.resources or {}) do
  if state.subscriptions[uri] then state.subscriptions[uri] = version end
end
for kind, fingerprint in pairs(notified.lists or {}) do state.lists[kind] = fingerprint end
redis.call('HSET', KEYS[1], 'facts', cjson.encode(state))
return 1
`;

/** KEYS: session. ARGV: stream. @returns the claim, and the number of the stream's last event as text */
const CLAIM = `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local claim = redis.call('HINCRBY', KEYS[1], 'claim', 1)
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or '0')
-- Events appended by older releases count too, although those do not set 'last'.
local newest = redis.call('XREVRANGE', KEYS[1] .. ':e:' .. ARGV[1], '+', '-', 'COUNT', 1)
if newest[1] then last = math.max(last, tonumber(string.match(newest[1][1], '^%d+'))) end
return {claim, string.format('%.0f', last)}
`;

/** KEYS: session. ARGV: TTL of the mark (ms). @returns its principal, and its calls in progress as a flat list of stream and record */
const REMOVE = `
local principal = redis.call('HGET', KEYS[1], 'principal')
local calls = redis.call('HGETALL', KEYS[1] .. ':k')
for _, stream in ipairs(redis.call('ZRANGE', KEYS[1] .. ':z', 0, -1)) do redis.call('DEL', KEYS[1] .. ':e:' .. stream) end
redis.call('DEL', KEYS[1], KEYS[1] .. ':t', KEYS[1] .. ':z', KEYS[1] .. ':k')
redis.call('SET', KEYS[1] .. ':d', '1', 'PX', ARGV[1])
return {principal, calls}
`;

export const SCRIPTS = {
  mcpAppend: { lua: APPEND, numberOfKeys: 1 },
  mcpChangeState: { lua: CHANGE_STATE, numberOfKeys: 1 },
  mcpClaim: { lua: CLAIM, numberOfKeys: 1 },
  mcpRemove: { lua: REMOVE, numberOfKeys: 1 },
} as const;

/** The commands that the scripts add to a connection or a pipeline. */
interface Scripted<R> {
  mcpAppend(session: string, ...args: (string | number)[]): R;
  mcpChangeState(session: string, change: string): R;
  mcpClaim(session: string, stream: string): R;
  mcpRemove(session: string, markMs: number): R;
}
export type Connection = Redis & Scripted<Promise<unknown>>;
export type Pipeline = ChainableCommander & Scripted<ChainableCommander>;

/** Adds the append of one event; `n` is "" if the store chooses the number. */
export function append(
  pipeline: Pipeline,
  session: string,
  stream: string,
  n: string,
  message: string,
): void {
  const limits = [LIMITS.maxEvents, LIMITS.maxEventChars, LIMITS.eventTtlMs];
  pipeline.mcpAppend(sessionKey(session), stream, n, message, Date.now(), ...limits);
}

/** Runs a pipeline or a transaction. @throws the first error in it */
export async function done(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  for (const [error] of answers) if (error) throw error;
  return answers.map(([, value]) => value);
}
