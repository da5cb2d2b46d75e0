/**
 * The Lua of the Redis store. A script runs alone from its beginning to its end, but nothing is undone when it fails:
 * each one therefore finds out first whether it may write everything, and only then writes. All keys stand in the hash
 * slot of the first one and begin with its prefix; the others are not declared, because which indexes a record leaves
 * is known only once it has been read.
 */
import { createHash } from 'node:crypto'

export interface Script {
  readonly text: string
  readonly sha: string
}

export const script = (text: string): Script => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
})

/** KEYS: marker. ARGV: its value, whether it may be made ("1"). Answers the marker that stands, and `seq`. */
export const OPEN = script(`
local prefix = string.sub(KEYS[1], 1, -7)
local found = redis.call('GET', KEYS[1])
local seq = redis.call('GET', prefix .. 'seq')
if not found and not seq and ARGV[2] == '1' then
  redis.call('SET', KEYS[1], ARGV[1])
  found = ARGV[1]
end
return {found, seq or '0'}
`)

/**
 * KEYS: seq. ARGV: marker, note (JSON), then for each change kind, id, expected version ("" any, "0" absent), facets (JSON), "1"
 * or "" whether there is a body, body. Answers the new seq; or -n where the n-th change met another version, 0 where
 * the marker is another one.
 * A value is version, newline, facets, newline, body. The first write is refused as a whole where there is no memory,
 * no replica, no disk or no master (OOM, NOREPLICAS, MISCONF, READONLY). Every key is looked at before: where a cluster
 * is moving the slot, one that is not here any more ends the script while nothing is written.
 */
export const COMMIT = script(`
local prefix = string.sub(KEYS[1], 1, -4)
if redis.call('GET', prefix .. 'schema') ~= ARGV[1] then return 0 end
local versions, indexes = {}, {}
local function read(key, id)
  local value = redis.call('HGET', key, id)
  if not value then return {0, {}} end
  local first = string.find(value, '\\n', 1, true)
  local second = string.find(value, '\\n', first + 1, true)
  return {tonumber(string.sub(value, 1, first - 1)), cjson.decode(string.sub(value, first + 1, second - 1))}
end
local function look(key) redis.call('EXISTS', key) end
look(prefix .. 'audit')
look(prefix .. 'revisions')
for i = 3, #ARGV, 6 do
  local kind, id, expects = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local key = prefix .. 'doc:' .. kind
  local name = kind .. '\\n' .. id
  if versions[name] == nil then
    local found = read(key, id)
    versions[name], indexes[name] = found[1], found[2]
    for _, facet in ipairs(found[2]) do look(prefix .. 'facet:' .. kind .. ':' .. facet) end
    look(prefix .. 'ids:' .. kind)
  end
  for _, facet in ipairs(cjson.decode(ARGV[i + 3])) do look(prefix .. 'facet:' .. kind .. ':' .. facet) end
  if expects ~= '' and tonumber(expects) ~= versions[name] then return -((i - 3) / 6 + 1) end
  if ARGV[i + 4] == '1' then versions[name] = versions[name] + 1 else versions[name] = 0 end
end
local seq = redis.call('INCR', KEYS[1])
redis.call('XADD', prefix .. 'audit', string.format('%d', seq) .. '-0', 'n', ARGV[2])
for i = 3, #ARGV, 6 do redis.call('HSET', prefix .. 'revisions', ARGV[i], seq) end
local written = {}
for i = 3, #ARGV, 6 do
  local kind, id, facets = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  local key = prefix .. 'doc:' .. kind
  local name = kind .. '\\n' .. id
  for _, facet in ipairs(indexes[name]) do redis.call('ZREM', prefix .. 'facet:' .. kind .. ':' .. facet, id) end
  if ARGV[i + 4] == '1' then
    if written[name] == nil then written[name] = read(key, id)[1] end
    written[name] = written[name] + 1
    redis.call('HSET', key, id, string.format('%d', written[name]) .. '\\n' .. facets .. '\\n' .. ARGV[i + 5])
    redis.call('ZADD', prefix .. 'ids:' .. kind, 0, id)
    indexes[name] = cjson.decode(facets)
    for _, facet in ipairs(indexes[name]) do redis.call('ZADD', prefix .. 'facet:' .. kind .. ':' .. facet, 0, id) end
  else
    redis.call('HDEL', key, id)
    redis.call('ZREM', prefix .. 'ids:' .. kind, id)
    indexes[name], written[name] = {}, 0
  end
end
redis.call('PUBLISH', prefix .. 'changes', seq)
return seq
`)

/** KEYS: marker. A write that changes nothing: refused where a commit would be (OOM, MISCONF, NOREPLICAS, READONLY). */
export const PROBE = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SET', KEYS[1], '', 'NX') end
return 0
`)

/** KEYS: index (a sorted set of one score, so in the order of its bytes), records. ARGV: upper bound, limit. */
export const LIST = script(`
local ids = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], '-', 'LIMIT', 0, ARGV[2])
local found = {}
for first = 1, #ids, 1000 do
  local values = redis.call('HMGET', KEYS[2], unpack(ids, first, math.min(first + 999, #ids)))
  for i, value in ipairs(values) do
    if value then
      found[#found + 1] = ids[first + i - 1]
      found[#found + 1] = value
    end
  end
end
return found
`)

/**
 * KEYS: seq. ARGV: marker, the number of a commit, how many commits and records may be told, then the kinds. Answers the
 * number of the last commit that changed such records, then kind, id and value of each record that was changed since: the
 * entries of the audit name them. Nothing at all where one of those entries is missing or says nothing.
 */
export const CHANGES = script(`
local prefix = string.sub(KEYS[1], 1, -4)
if redis.call('GET', prefix .. 'schema') ~= ARGV[1] then return {} end
local since, last = tonumber(ARGV[2]), 0
local revisions = redis.call('HMGET', prefix .. 'revisions', unpack(ARGV, 5))
for _, revision in ipairs(revisions) do last = math.max(last, tonumber(revision or '0')) end
local told = {string.format('%d', last)}
if last == since then return told end
if last < since or last - since > tonumber(ARGV[3]) then return {} end
local first, final = string.format('%d-0', since + 1), string.format('%d-0', last)
local entries = redis.call('XRANGE', prefix .. 'audit', first, final)
if #entries ~= last - since then return {} end
local seen, count = {}, 0
for _, entry in ipairs(entries) do
  local isRead, note = pcall(cjson.decode, entry[2][2])
  if not isRead or type(note.changed) ~= 'table' then return {} end
  for _, name in ipairs(note.changed) do
    if not seen[name] then
      seen[name], count = true, count + 1
      if count > tonumber(ARGV[4]) then return {} end
      local cut = string.find(name, '\\n', 1, true)
      local kind, id = string.sub(name, 1, cut - 1), string.sub(name, cut + 1)
      told[#told + 1], told[#told + 2] = kind, id
      told[#told + 1] = redis.call('HGET', prefix .. 'doc:' .. kind, id)
    end
  end
end
return told
`)

/** KEYS: counter. ARGV: max, window in ms, "1" for a sliding one. Answers whether it was taken, how many are, ms left. */
export const TAKE = script(`
local taken = tonumber(redis.call('GET', KEYS[1]) or '0')
if taken >= tonumber(ARGV[1]) then return {0, taken, math.max(0, redis.call('PTTL', KEYS[1]))} end
redis.call('INCR', KEYS[1])
if taken == 0 and redis.call('PTTL', KEYS[1]) < 0 or ARGV[3] == '1' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {1, taken + 1, redis.call('PTTL', KEYS[1])}
`)

/** KEYS: counter. */
export const GIVE_BACK = script(`
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 0
`)
