import { clockTolerance } from '../records';

/** An instance without a sign of life for this long is dead, in milliseconds. */
export const deadAfter = 15_000;

/**
 * The scripts: each is one step in Redis. All data is in keys with the account's prefix, which is KEYS[1] and has a
 * hash tag: an account is on one node of a cluster. KEYS[2] is the prefix of the previous version. ARGV[1] is the time,
 * in milliseconds since 1970; if empty, it is Redis's own: one clock for all instances.
 *
 * - `born`: a random mark; a different one means that Redis has lost its data
 * - `instances`: when each instance last gave a sign of life
 * - `request:ID`: a record as text (`record`), and what the scripts need to know about it: its `state`, `holder` (an
 *   instance), `epoch`, `gate`, `user`, `approvalId`, `endsAt`, `lifetime`, the number of its last change (`no`), when
 *   that was (`writtenAt`) and from which state it was claimed (`was`). It has no time to live: only an end removes it.
 *   Then it stays as a tombstone, with `state` (`ended`, `withdrawn`, or `void` if it is certain that none was
 *   made), `holder`, `epoch`, `no`, `gate`, `until` and, if nothing came after the claim, `final`.
 * - `held:INSTANCE:GATE`: the ids an instance holds for a gate; `taken:INSTANCE:GATE`: those of them that it has taken
 *   over and has not confirmed yet
 * - `holders:GATE`: the instances that hold or held something for a gate
 * - `approval:APPROVALID`: the ids that wait for the answer to a request
 * - `withdrawn:INSTANCE:GATE`: the ids that others have withdrawn, until the instance confirms that it knows
 * - `cancelled:GATE:APPROVALID`: until when records that begin to wait for the answer to this request are withdrawn
 * - `broken:GATE`: ids of records that cannot be read; they are kept for a person to look at
 * - `user:AUTHYID`: the ids open for a user, by when they end; `cool:AUTHYID`: until when the user may not be asked
 * - `asked:APPROVALID`, `answer:APPROVALID`: who was asked, and the decision a callback brought
 * - `oldholders:GATE`, `scanned`: instances of the previous version that left records, once all keys were scanned
 *
 * Keys that expire hold the time of their end, which decides. Redis removes them a minute later: so a time in ARGV[1]
 * works as well as Redis's own. A list of ids is a sorted set with equal scores: in order, and read in parts.
 *
 * Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
const start = `
local prefix, old = KEYS[1], KEYS[2]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local day, spare = 86400000, 60000

local function first(key, count) return redis.call('ZRANGE', key, 0, count - 1) end
local function isDead(instances, instance)
  local last = redis.call('ZSCORE', instances, instance)
  return not last or now - last > ${deadAfter}
end
`;

const records = `${start}
local fields = { 'state', 'holder', 'epoch', 'no', 'gate', 'user', 'approvalId', 'endsAt', 'lifetime', 'writtenAt', 'was', 'until', 'final' }
local function request(id) return prefix .. 'request:' .. id end
local function list(name, instance, gate) return prefix .. name .. ':' .. instance .. ':' .. gate end

-- Returns nil if there is no record of ours, or if its tombstone has expired.
local function read(id)
  local values = redis.pcall('HMGET', request(id), unpack(fields))
  if values.err or not values[1] then return nil end
  local found = { id = id }
  for index, name in ipairs(fields) do found[name] = values[index] end
  if found['until'] and tonumber(found['until']) <= now then
    redis.call('DEL', request(id))
    return nil
  end
  return found
end

local function isOpen(found) return found.state == 'unsent' or found.state == 'sending' or found.state == 'waiting' end

-- The record is there, held by this instance in this epoch, and no newer command has changed it.
local function isMine(found, instance, epoch, no)
  return found and not found['until'] and found.holder == instance and found.epoch == epoch
    and tonumber(found.no) < tonumber(no)
end

local function count(user, id, endsAt)
  local key = prefix .. 'user:' .. user
  redis.call('ZADD', key, endsAt + 2 * ${deadAfter}, id)
  redis.call('PEXPIRE', key, math.max(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] - now, 0) + spare)
end

local function hold(instance, gate, id)
  redis.call('ZADD', list('held', instance, gate), 0, id)
  redis.call('ZADD', prefix .. 'holders:' .. gate, 0, instance)
  -- An instance that holds a record counts as alive: otherwise another one would take it over at once.
  redis.call('ZADD', prefix .. 'instances', now, instance)
end

local function write(id, no, state, endsAt, lifetime, approvalId, record)
  redis.call('HSET', request(id), 'no', no, 'state', state, 'endsAt', endsAt, 'lifetime', lifetime, 'writtenAt', now, 'record', record)
  if approvalId ~= '' then
    redis.call('HSET', request(id), 'approvalId', approvalId)
    redis.call('ZADD', prefix .. 'approval:' .. approvalId, 0, id)
  end
end

local function make(instance, gate, id, epoch, no, state, endsAt, lifetime, user, approvalId, record)
  hold(instance, gate, id)
  redis.call('DEL', request(id))
  redis.call('HSET', request(id), 'holder', instance, 'gate', gate, 'epoch', epoch, 'user', user)
  write(id, no, state, endsAt, lifetime, approvalId, record)
end

-- Leaves a tombstone, which outlives every late command.
local function finish(found, state)
  local key = request(found.id)
  redis.call('ZREM', list('held', found.holder, found.gate), found.id)
  redis.call('ZREM', list('taken', found.holder, found.gate), found.id)
  if found.approvalId then redis.call('ZREM', prefix .. 'approval:' .. found.approvalId, found.id) end
  local expiresAt = math.max(tonumber(found.endsAt) or 0, now) + (tonumber(found.lifetime) or 0) + day
  redis.call('HDEL', key, 'record', 'user', 'approvalId', 'endsAt', 'lifetime', 'writtenAt', 'was')
  redis.call('HSET', key, 'state', state, 'holder', found.holder, 'epoch', found.epoch, 'no', found.no, 'gate', found.gate, 'until', expiresAt)
  redis.call('PEXPIRE', key, expiresAt - now + spare)
  return expiresAt
end

local function withdraw(found)
  local expiresAt = finish(found, 'withdrawn')
  if found.user then redis.call('ZREM', prefix .. 'user:' .. found.user, found.id) end
  local told = list('withdrawn', found.holder, found.gate)
  redis.call('ZADD', told, 0, found.id)
  redis.call('PEXPIRE', told, math.max(redis.call('PTTL', told), expiresAt - now + spare))
end

-- Whether a request was withdrawn by its approval id, before the store knew who waits for it.
local function isCancelled(gate, approvalId)
  if approvalId == '' then return false end
  local expiresAt = redis.call('GET', prefix .. 'cancelled:' .. gate .. ':' .. approvalId)
  return expiresAt and tonumber(expiresAt) > now
end
`;

const ledger = `
local function current(key)
  local found = redis.call('HMGET', key, 'value', 'until')
  if not found[1] or tonumber(found[2]) <= now then return false end
  return found[1], tonumber(found[2])
end

local function remember(key, value, expiresAt)
  redis.call('HSET', key, 'value', value, 'until', expiresAt)
  redis.call('PEXPIRE', key, expiresAt - now + spare)
end

local function asked(approvalId, user, duration)
  local key = prefix .. 'asked:' .. approvalId
  local _, before = current(key)
  remember(key, user, math.max(before or 0, now + duration))
end
`;

export const scripts = {
  /** ARGV: instance, a mark to set if there is none. Returns the mark and the time. */
  signOfLife: `${start}
redis.call('SET', prefix .. 'born', ARGV[3], 'NX')
local instances = prefix .. 'instances'
-- If the clock was set back: no instance can have been alive later than now.
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '(' .. string.format('%.0f', now), '+inf')) do
  redis.call('ZADD', instances, now, instance)
end
-- An instance that is not listed counts as dead as well: the records it holds are not forgotten.
redis.call('ZREMRANGEBYSCORE', instances, '-inf', now - day)
redis.call('ZADD', instances, now, ARGV[2])
return { redis.call('GET', prefix .. 'born'), now }`,

  /** ARGV: instance, gate, id, epoch, number, state, endsAt, lifetime, user, approval id or nothing, record. Returns 1 if it was made. */
  create: `${records}
local found = read(ARGV[4])
if found and not (found.state == 'void' and tonumber(found.no) < tonumber(ARGV[6])) then return 0 end
make(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12])
if isCancelled(ARGV[3], ARGV[11]) then withdraw(read(ARGV[4])) end
return 1`,

  /**
   * Makes sure that no such record is there, and that a command to make it which is still on its way does nothing.
   * ARGV: instance, gate, id, epoch, number, endsAt, lifetime, the number of that command. Returns 0 if the record was
   * made and has gone on: it was taken over, withdrawn or ended by another instance.
   */
  void: `${records}
local found = read(ARGV[4])
if not found then
  found = { id = ARGV[4], holder = ARGV[2], gate = ARGV[3], epoch = ARGV[5], endsAt = ARGV[7], lifetime = ARGV[8] }
elseif found.state == 'void' then
  redis.call('HSET', request(ARGV[4]), 'no', math.max(found.no, ARGV[6]))
  return 1
elseif not isMine(found, ARGV[2], ARGV[5], ARGV[6]) or found.no ~= ARGV[9] then
  return 0
end
found.no = ARGV[6]
finish(found, 'void')
return 1`,

  /** ARGV: instance, id, epoch, number, state, endsAt, lifetime, approval id or nothing, record. Returns 1 if it was changed. */
  update: `${records}
local found = read(ARGV[3])
if not isMine(found, ARGV[2], ARGV[4], ARGV[5]) or not isOpen(found) then return 0 end
if isCancelled(found.gate, ARGV[9]) then
  withdraw(found)
  return 0
end
if found.approvalId and found.approvalId ~= ARGV[9] then
  redis.call('ZREM', prefix .. 'approval:' .. found.approvalId, found.id)
  redis.call('HDEL', request(found.id), 'approvalId')
end
write(found.id, ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10])
if redis.call('ZSCORE', prefix .. 'user:' .. found.user, found.id) then count(found.user, found.id, ARGV[7]) end
return 1`,

  /** ARGV: instance, gate, id, epoch, number, 1 if nothing is handed on, approval id or nothing. Returns a `Claim`. */
  claim: `${records}
local found = read(ARGV[4])
if not found then
  redis.call('ZREM', list('held', ARGV[2], ARGV[3]), ARGV[4])
  redis.call('ZREM', list('taken', ARGV[2], ARGV[3]), ARGV[4])
  return 'missing'
end
-- Its holder at that time is told so; for earlier holders the record is another's.
if found.state == 'withdrawn' then return found.holder == ARGV[2] and found.epoch == ARGV[5] and 'withdrawn' or 'theirs' end
-- Asked again, because the answer was lost.
if found.final and found.holder == ARGV[2] and found.epoch == ARGV[5] then return 'ours' end
if not isMine(found, ARGV[2], ARGV[5], ARGV[6]) then return 'theirs' end
if isOpen(found) and isCancelled(ARGV[3], ARGV[8]) then
  withdraw(found)
  return 'withdrawn'
end
if ARGV[7] == '1' then
  found.no = ARGV[6]
  finish(found, 'ended')
  redis.call('HSET', request(found.id), 'final', 1)
else
  if found.state ~= 'passing' then redis.call('HSET', request(found.id), 'was', found.state) end
  redis.call('HSET', request(found.id), 'state', 'passing', 'no', ARGV[6], 'writtenAt', now)
end
return 'ours'`,

  /** ARGV: instance, id, epoch, number. Returns 1 if the record waits again. */
  unclaim: `${records}
local found = read(ARGV[3])
if not isMine(found, ARGV[2], ARGV[4], ARGV[5]) or found.state ~= 'passing' then return 0 end
redis.call('HSET', request(found.id), 'state', found.was, 'no', ARGV[5], 'writtenAt', now)
redis.call('HDEL', request(found.id), 'was')
return 1`,

  /** ARGV: instance, id, epoch, number. Returns 1 if it was ended. */
  end: `${records}
local found = read(ARGV[3])
if not isMine(found, ARGV[2], ARGV[4], ARGV[5]) then return 0 end
found.no = ARGV[5]
finish(found, 'ended')
return 1`,

  /**
   * Withdraws records of other instances that wait for the answer to a request. ARGV: instance, gate, approval id, a text
   * to publish. Returns how many ids are known to wait for it, with any holder, and how many records of other instances are
   * being handed on.
   */
  withdraw: `${records}
local key, cancelled = prefix .. 'approval:' .. ARGV[4], prefix .. 'cancelled:' .. ARGV[3] .. ':' .. ARGV[4]
redis.call('SET', cancelled, now + day, 'PX', day + spare)
local ids = redis.call('ZRANGE', key, 0, -1)
local withdrawn, passing = 0, 0
for _, id in ipairs(ids) do
  local found = read(id)
  if not found then
    redis.call('ZREM', key, id)
  elseif found.gate == ARGV[3] and found.holder ~= ARGV[2] then
    if isOpen(found) then
      withdraw(found)
      withdrawn = withdrawn + 1
    elseif found.state == 'passing' then
      passing = passing + 1
    end
  end
end
if withdrawn > 0 then redis.call('PUBLISH', prefix .. 'hints', ARGV[5]) end
return { #ids, passing }`,

  /** ARGV: instance, gate. Returns the other instances that hold or held records for it. */
  holders: `${start}
local others = {}
for _, instance in ipairs(redis.call('ZRANGE', prefix .. 'holders:' .. ARGV[3], 0, -1)) do
  if instance ~= ARGV[2] then table.insert(others, instance) end
end
return others`,

  /**
   * Withdraws the records that one instance holds for a gate, part by part. ARGV: gate, its holder, the id to go on after
   * or nothing, how many at most, the approval id that they must have or nothing, a text to publish. Returns the id to go
   * on after, or nothing once all are done, and how many are being handed on now.
   */
  withdrawHeld: `${records}
local after = ARGV[4] == '' and '-' or '(' .. ARGV[4]
local ids = redis.call('ZRANGEBYLEX', list('held', ARGV[3], ARGV[2]), after, '+', 'LIMIT', 0, ARGV[5])
local withdrawn, passing = 0, 0
for _, id in ipairs(ids) do
  local found = read(id)
  if found and found.holder == ARGV[3] and (ARGV[6] == '' or found.approvalId == ARGV[6]) then
    if isOpen(found) then
      withdraw(found)
      withdrawn = withdrawn + 1
    elseif found.state == 'passing' then
      passing = passing + 1
    end
  end
end
if withdrawn > 0 then redis.call('PUBLISH', prefix .. 'hints', ARGV[7]) end
return { #ids == tonumber(ARGV[5]) and ids[#ids] or '', passing }`,

  /** ARGV: instance, gate, how many at most, ids that it knows of. Returns the ids that others have withdrawn. */
  withdrawn: `${records}
local key = list('withdrawn', ARGV[2], ARGV[3])
for index = 5, #ARGV do redis.call('ZREM', key, ARGV[index]) end
return first(key, ARGV[4])`,

  /**
   * Takes over the records that dead instances hold for a gate. ARGV: instance, gate, how many at most, ids that it has
   * received. Returns how many records Redis has lost, 1 if there may be more, and for each record its id, text, state,
   * epoch and whether it was written later than now (1 or 0). A record comes again until it is confirmed.
   */
  take: `${records}
local mine = list('taken', ARGV[2], ARGV[3])
for index = 5, #ARGV do redis.call('ZREM', mine, ARGV[index]) end
local left, lost, answer = tonumber(ARGV[4]), 0, { 0, 0 }

local function hand(found)
  local late = (tonumber(found.writtenAt) or 0) > now + ${clockTolerance} and 1 or 0
  local text = redis.call('HGET', request(found.id), 'record') or ''
  for _, value in ipairs({ found.id, text, found.state, tonumber(found.epoch) or 0, late }) do table.insert(answer, value) end
end

for _, id in ipairs(first(mine, left)) do
  local found = read(id)
  if found and not found['until'] and found.holder == ARGV[2] then hand(found) else redis.call('ZREM', mine, id) end
  left = left - 1
end

local holders = prefix .. 'holders:' .. ARGV[3]
for _, holder in ipairs(redis.call('ZRANGE', holders, 0, -1)) do
  if left > 0 and holder ~= ARGV[2] and isDead(prefix .. 'instances', holder) then
    local theirs = list('held', holder, ARGV[3])
    for _, id in ipairs(first(theirs, left)) do
      local found = read(id)
      redis.call('ZREM', theirs, id)
      if not found then
        lost = lost + 1
      elseif not found['until'] and found.holder == holder then
        found.epoch = (tonumber(found.epoch) or 0) + 1
        redis.call('HSET', request(id), 'holder', ARGV[2], 'epoch', found.epoch, 'no', 0)
        hold(ARGV[2], ARGV[3], id)
        redis.call('ZADD', mine, 0, id)
        hand(found)
      end
      left = left - 1
    end
    if redis.call('ZCARD', theirs) == 0 then
      redis.call('ZREM', holders, holder)
      redis.call('DEL', list('taken', holder, ARGV[3]))
    end
  end
end
answer[1] = lost
if left <= 0 then answer[2] = 1 end
return answer`,

  /** Sets a record aside: it stays, and no instance gets it any more. ARGV: instance, gate, id. */
  setAside: `${records}
redis.call('ZREM', list('held', ARGV[2], ARGV[3]), ARGV[4])
redis.call('ZREM', list('taken', ARGV[2], ARGV[3]), ARGV[4])
redis.call('ZADD', prefix .. 'broken:' .. ARGV[3], 0, ARGV[4])
return 1`,

  /** ARGV: approval id, user, how long to remember it in ms. */
  asked: `${start}${ledger}
asked(ARGV[2], ARGV[3], ARGV[4])
return 1`,

  /** ARGV: approval id. Returns who was asked, or nothing. */
  recipientOf: `${start}${ledger}
local user = current(prefix .. 'asked:' .. ARGV[2])
return user or redis.call('GET', old .. 'asked:' .. ARGV[2])`,

  /**
   * ARGV: approval id, decision, how long to remember it in ms: at least, and for an unknown request. Returns the earlier
   * decision, or nothing.
   */
  decided: `${start}${ledger}
local key = prefix .. 'answer:' .. ARGV[2]
local before = current(key) or redis.call('GET', old .. 'answer:' .. ARGV[2])
if before then return before end
local user, expiresAt = current(prefix .. 'asked:' .. ARGV[2])
remember(key, ARGV[3], user and math.max(expiresAt, now + ARGV[4]) or now + ARGV[5])
return false`,

  /** ARGV: id, user, endsAt, most that may be open, cool-down in ms. Returns a word and a number. */
  admit: `${records}
local user, cool = prefix .. 'user:' .. ARGV[3], prefix .. 'cool:' .. ARGV[3]
redis.call('ZREMRANGEBYSCORE', user, '-inf', now)
local open = redis.call('ZCARD', user)
-- Asked again, because the answer was lost.
if redis.call('ZSCORE', user, ARGV[2]) then return { 'admitted', open } end
if tonumber(ARGV[5]) > 0 and open >= tonumber(ARGV[5]) then return { 'open', open } end
local wait = (redis.call('GET', cool) or 0) - now
if tonumber(ARGV[6]) > 0 and wait > 0 then return { 'wait', wait } end
count(ARGV[3], ARGV[2], ARGV[4])
if tonumber(ARGV[6]) > 0 then redis.call('SET', cool, now + ARGV[6], 'PX', ARGV[6] + spare) end
return { 'admitted', open + 1 }`,

  /** ARGV: id, user. */
  release: `${start}
return redis.call('ZREM', prefix .. 'user:' .. ARGV[3], ARGV[2])`,

  /** ARGV: a text to publish. */
  tell: `${start}
return redis.call('PUBLISH', prefix .. 'hints', ARGV[2])`,

  /**
   * Looks for records of instances of the previous version, part by part: instances that were silent for long are in no
   * list. ARGV: where to go on, 0 at first. Returns where to go on, 0 once all is done.
   */
  scanOld: `${start}
if redis.call('EXISTS', prefix .. 'scanned') == 1 then return '0' end
local held = old .. 'held:'
local part = redis.call('SCAN', ARGV[2], 'MATCH', string.gsub(held, '[%*%?%[%]\\\\]', '\\\\%0') .. '*', 'COUNT', 1000)
for _, key in ipairs(part[2]) do
  local instance, gate = string.match(string.sub(key, #held + 1), '^([^:]*):(.*)$')
  if instance then redis.call('ZADD', prefix .. 'oldholders:' .. gate, 0, instance) end
end
if part[1] == '0' then redis.call('SET', prefix .. 'scanned', 1) end
return part[1]`,

  /**
   * The records that dead instances of the previous version hold for a gate. ARGV: gate, how many at most. Returns how many
   * records Redis has lost, and for each its holder, id, text and state.
   */
  oldHeld: `${start}
local answer, left, lost = { 0 }, tonumber(ARGV[3]), 0
local function look(holder)
  if left <= 0 or not isDead(old .. 'instances', holder) then return end
  local theirs = old .. 'held:' .. holder .. ':' .. ARGV[2]
  for _, id in ipairs(redis.call('SRANDMEMBER', theirs, left)) do
    local found = redis.call('HMGET', old .. 'request:' .. id, 'holder', 'record', 'state')
    if found[1] == holder then
      for _, value in ipairs({ holder, id, found[2] or '', found[3] or '' }) do table.insert(answer, value) end
    else
      redis.call('SREM', theirs, id)
      if not found[1] then lost = lost + 1 end
    end
    left = left - 1
  end
end
for _, holder in ipairs(redis.call('ZRANGE', old .. 'instances', 0, -1)) do look(holder) end
local others = prefix .. 'oldholders:' .. ARGV[2]
for _, holder in ipairs(redis.call('ZRANGE', others, 0, -1)) do
  if redis.call('ZSCORE', old .. 'instances', holder) == false then look(holder) end
  if redis.call('EXISTS', old .. 'held:' .. holder .. ':' .. ARGV[2]) == 0 then redis.call('ZREM', others, holder) end
end
answer[1] = lost
return answer`,

  /**
   * Replaces a record of the previous version by new ones, all at once, if it has not changed and its holder is dead.
   * ARGV: instance, gate, its holder, its id, text and state, how long to remember that it was asked in ms; then for
   * each record: id, state, endsAt, lifetime, user, approval id or nothing, text. Without any it is set aside. Returns 1
   * if it was done. They are handed over by `take`.
   */
  moveOld: `${records}${ledger}
local before, theirs = old .. 'request:' .. ARGV[5], old .. 'held:' .. ARGV[4] .. ':' .. ARGV[3]
local found = redis.call('HMGET', before, 'holder', 'record', 'state')
if found[1] ~= ARGV[4] or (found[2] or '') ~= ARGV[6] or (found[3] or '') ~= ARGV[7] or not isDead(old .. 'instances', ARGV[4]) then return 0 end
if #ARGV == 8 then
  redis.call('PERSIST', before)
  redis.call('ZADD', prefix .. 'broken:' .. ARGV[3], 0, ARGV[5])
end
local alive = redis.call('ZSCORE', old .. 'instances', ARGV[4]) or now
for index = 9, #ARGV, 7 do
  local id, user, approvalId = ARGV[index], ARGV[index + 4], ARGV[index + 5]
  if not read(id) then
    make(ARGV[2], ARGV[3], id, 1, 0, ARGV[index + 1], ARGV[index + 2], ARGV[index + 3], user, approvalId, ARGV[index + 6])
    redis.call('HSET', request(id), 'writtenAt', alive)
    redis.call('ZADD', list('taken', ARGV[2], ARGV[3]), 0, id)
    if approvalId ~= '' then asked(approvalId, user, ARGV[8]) end
  end
  if index == 9 then count(user, id, ARGV[index + 2]) end
end
if #ARGV > 8 then redis.call('DEL', before) end
redis.call('SREM', theirs, ARGV[5])
return 1`,
} as const;

export type ScriptName = keyof typeof scripts;
