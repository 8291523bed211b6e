/**
 * What must happen in one step, as Lua (Valkey and Redis from 6.2 on). All keys of a session carry its id in braces, so that a cluster
 * keeps them together. Keys, for the session S and the prefix P:
 *
 * - `P{S}` hash: principal, params, facts; `claim`: streams opened so far, `last`: the number of the last notification
 * - `P{S}:e:<stream>` stream: the events of one stream, each with the id `<n>-1`
 * - `P{S}:t` hash: events (`n`) and characters (`c`) of the session, and of each stream (`n:<stream>`, `c:<stream>`)
 * - `P{S}:z` sorted set: its streams by the time of their last event
 * - `P{S}:k` hash: the calls at work, by stream
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

/** KEYS: session. ARGV: stream, n or "", message, now (ms), most events, most characters, life of an event (ms). @returns 1 when added */
const APPEND = `${SHARED}
local base, stream, n, message, now = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local events = base .. ':e:' .. stream
if n == '' then
  -- Always higher than before, whatever the clocks of the writers say and however many events were dropped since; and never lower than
  -- the clock, which older releases begin a stream at.
  local next = now * 1000
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)
  if last[1] then next = math.max(next, tonumber(string.match(last[1][1], '^%d+')) + 1) end
  next = math.max(next, tonumber(redis.call('HGET', base, 'last') or '0') + 1)
  n = string.format('%.0f', next)
  if redis.call('EXISTS', base) == 1 then redis.call('HSET', base, 'last', n) end
end
local added = redis.pcall('XADD', events, n .. '-1', 'm', message)
if type(added) == 'table' and added.err then
  -- Somebody wrote it before: the same error for the same lost call.
  if string.find(added.err, 'equal or smaller', 1, true) then return 0 end
  return added
end
redis.call('HINCRBY', base .. ':t', 'n', 1)
redis.call('HINCRBY', base .. ':t', 'c', #message)
redis.call('HINCRBY', base .. ':t', 'n:' .. stream, 1)
redis.call('HINCRBY', base .. ':t', 'c:' .. stream, #message)
redis.call('ZADD', base .. ':z', now, stream)
local life = tonumber(ARGV[7])
while true do
  local old = redis.call('ZRANGE', base .. ':z', 0, 0, 'WITHSCORES')
  if not old[1] or tonumber(old[2]) > now - life then break end
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
redis.call('PEXPIRE', events, life)
redis.call('PEXPIRE', base .. ':t', life)
redis.call('PEXPIRE', base .. ':z', life)
return 1
`;

/** KEYS: session. ARGV: a FactsChange as JSON. Changes only what is there: a session that was deleted does not come back. */
const CHANGE_FACTS = `
local text = redis.call('HGET', KEYS[1], 'facts')
if not text then return 0 end
local facts, change = cjson.decode(text), cjson.decode(ARGV[1])
local told = change.told or {}
if change.initialized then facts.initialized = true end
if change.logLevel then facts.logLevel = change.logLevel end
for uri, version in pairs(change.subscribe or {}) do facts.subscriptions[uri] = version end
for _, uri in ipairs(change.unsubscribe or {}) do facts.subscriptions[uri] = nil end
for uri, version in pairs(told.resources or {}) do
  if facts.subscriptions[uri] then facts.subscriptions[uri] = version end
end
for kind, stamp in pairs(told.lists or {}) do facts.lists[kind] = stamp end
redis.call('HSET', KEYS[1], 'facts', cjson.encode(facts))
return 1
`;

/** KEYS: session. ARGV: stream. @returns the claim, and the number of the stream's last event as text */
const CLAIM = `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local claim = redis.call('HINCRBY', KEYS[1], 'claim', 1)
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or '0')
-- Written by older releases too: what they appended counts, though they did not note it in the session.
local newest = redis.call('XREVRANGE', KEYS[1] .. ':e:' .. ARGV[1], '+', '-', 'COUNT', 1)
if newest[1] then last = math.max(last, tonumber(string.match(newest[1][1], '^%d+'))) end
return {claim, string.format('%.0f', last)}
`;

/** KEYS: session. @returns who opened it, and the calls that were at work, as stream and record in turn */
const FORGET = `
local principal = redis.call('HGET', KEYS[1], 'principal')
local calls = redis.call('HGETALL', KEYS[1] .. ':k')
for _, stream in ipairs(redis.call('ZRANGE', KEYS[1] .. ':z', 0, -1)) do redis.call('DEL', KEYS[1] .. ':e:' .. stream) end
redis.call('DEL', KEYS[1], KEYS[1] .. ':t', KEYS[1] .. ':z', KEYS[1] .. ':k')
return {principal, calls}
`;

export const SCRIPTS = {
  mcpAppend: { lua: APPEND, numberOfKeys: 1 },
  mcpChangeFacts: { lua: CHANGE_FACTS, numberOfKeys: 1 },
  mcpClaim: { lua: CLAIM, numberOfKeys: 1 },
  mcpForget: { lua: FORGET, numberOfKeys: 1 },
} as const;
