/**
 * What has to happen in one step in Redis. Each script's first key is the account's prefix, with a hash tag, so that
 * all of an account lies on one node of a cluster; the other names are made of it. Times are Redis's own, in
 * milliseconds: one clock for all instances.
 *
 * - `born`: a random mark; another one means that Redis has lost what it held
 * - `instances`: when each instance last gave a sign of life
 * - `request:ID`: a request's `record`, its `holder` (an instance) and its `state`
 * - `held:INSTANCE:GATE`: the ids an instance holds for a gate
 * - `user:AUTHYID`: the ids open for a user, by when they end; `cool:AUTHYID`: there while the user may not be asked
 * - `answer:APPROVALID`: the decision a callback brought
 *
 * Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
const clock = `
local prefix = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

export const scripts = {
  /** ARGV: instance, a mark to set where there is none. Returns the mark and the time. */
  signOfLife: `${clock}
redis.call('SET', prefix .. 'born', ARGV[2], 'NX')
redis.call('ZADD', prefix .. 'instances', now, ARGV[1])
return {redis.call('GET', prefix .. 'born'), tostring(now)}`,

  /** ARGV: id, authyId, when it ends, most that may be open, cool-down in ms. Returns a word and a number. */
  admit: `${clock}
local user, cool = prefix .. 'user:' .. ARGV[2], prefix .. 'cool:' .. ARGV[2]
redis.call('ZREMRANGEBYSCORE', user, '-inf', now)
local open = redis.call('ZCARD', user)
if tonumber(ARGV[4]) > 0 and open >= tonumber(ARGV[4]) then return {'open', open} end
local wait = redis.call('PTTL', cool)
if tonumber(ARGV[5]) > 0 and wait > 0 then return {'wait', wait} end
redis.call('ZADD', user, ARGV[3], ARGV[1])
redis.call('PEXPIREAT', user, redis.call('ZREVRANGE', user, 0, 0, 'WITHSCORES')[2])
if tonumber(ARGV[5]) > 0 then redis.call('SET', cool, '1', 'PX', ARGV[5]) end
return {'admitted', open + 1}`,

  /** ARGV: instance, gate, id, record, how long to keep it in ms. Leaves alone what another instance holds. */
  save: `${clock}
local request, held = prefix .. 'request:' .. ARGV[3], prefix .. 'held:' .. ARGV[1] .. ':' .. ARGV[2]
local holder = redis.call('HGET', request, 'holder')
if holder and holder ~= ARGV[1] then return 0 end
if redis.call('HGET', request, 'state') == 'passing' then return 0 end
redis.call('HSET', request, 'holder', ARGV[1], 'state', 'open', 'record', ARGV[4])
redis.call('PEXPIRE', request, ARGV[5])
redis.call('SADD', held, ARGV[3])
redis.call('PEXPIRE', held, math.max(tonumber(ARGV[5]), redis.call('PTTL', held)))
return 1`,

  /** ARGV: instance, id. Returns whether the instance may hand the decision on, or -1 where there is no such request. */
  claim: `
local request = KEYS[1] .. 'request:' .. ARGV[2]
local holder = redis.call('HGET', request, 'holder')
if not holder then return -1 end
if holder ~= ARGV[1] then return 0 end
redis.call('HSET', request, 'state', 'passing')
return 1`,

  /** ARGV: instance, gate, id. */
  remove: `
local request = KEYS[1] .. 'request:' .. ARGV[3]
if redis.call('HGET', request, 'holder') == ARGV[1] then redis.call('DEL', request) end
redis.call('SREM', KEYS[1] .. 'held:' .. ARGV[1] .. ':' .. ARGV[2], ARGV[3])
return 1`,

  /**
   * ARGV: instance, gate, silence in ms after which an instance counts as dead, after which it is forgotten, how many
   * requests at most. Returns record, state, record, state, …
   */
  take: `${clock}
local mine = prefix .. 'held:' .. ARGV[1] .. ':' .. ARGV[2]
redis.call('ZREMRANGEBYSCORE', prefix .. 'instances', '-inf', now - ARGV[4])
local taken = {}
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'instances', '-inf', now - ARGV[3])) do
  local theirs = prefix .. 'held:' .. dead .. ':' .. ARGV[2]
  while dead ~= ARGV[1] and #taken < 2 * ARGV[5] do
    local id = redis.call('SPOP', theirs)
    if not id then break end
    local request = prefix .. 'request:' .. id
    if redis.call('HGET', request, 'holder') == dead then
      redis.call('HSET', request, 'holder', ARGV[1])
      redis.call('SADD', mine, id)
      local found = redis.call('HMGET', request, 'record', 'state')
      table.insert(taken, found[1])
      table.insert(taken, found[2])
    end
  end
end
if #taken > 0 then redis.call('PEXPIRE', mine, ARGV[4]) end
return taken`,

  /** ARGV: approvalId, decision, how long to remember it in ms. Returns what was decided before, or nothing. */
  decided: `
local answer = KEYS[1] .. 'answer:' .. ARGV[1]
local before = redis.call('GET', answer)
if not before then redis.call('SET', answer, ARGV[2], 'PX', ARGV[3]) end
return before`,
} as const;

export type ScriptName = keyof typeof scripts;
