/**
 * The Lua of copying from and to Redis. As in `redis-scripts.ts` all keys stand in the hash slot of the first one, the
 * marker, and begin with its prefix. The marker of a store that is being filled is one that nobody opens.
 */
import { script } from '../redis-scripts.ts'

/**
 * KEYS: marker. ARGV: its value, name of the snapshot, its life in ms, kinds. Copies everything within Redis, where
 * nobody can write meanwhile; answers -1 where the marker is another one, else seq, entries of the audit, records.
 */
export const SNAPSHOT = script(`
local prefix = string.sub(KEYS[1], 1, -7)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {-1} end
local function copy(name)
  local to = prefix .. ARGV[2] .. ':' .. name
  if redis.call('COPY', prefix .. name, to) == 1 then redis.call('PEXPIRE', to, ARGV[3]) end
end
copy('audit')
local records = 0
for i = 4, #ARGV do
  copy('ids:' .. ARGV[i])
  copy('doc:' .. ARGV[i])
  records = records + redis.call('HLEN', prefix .. 'doc:' .. ARGV[i])
end
return {tonumber(redis.call('GET', prefix .. 'seq') or '0'), redis.call('XLEN', prefix .. 'audit'), records}
`)

/**
 * KEYS: marker. ARGV: the marker of a copy, life of its lease in ms, kinds. Answers 1 where the place is empty, 2 where a
 * copy into it broke off, 0 where something else is there or is coming.
 */
export const BEGIN = script(`
local prefix = string.sub(KEYS[1], 1, -7)
local found = redis.call('GET', KEYS[1])
if found and string.sub(found, 1, 11) ~= '{"copying":' then return 0 end
if redis.call('EXISTS', prefix .. 'copying') == 1 then return 0 end
if not found then
  if redis.call('EXISTS', prefix .. 'seq', prefix .. 'audit') > 0 then return 0 end
  for i = 3, #ARGV do
    if redis.call('EXISTS', prefix .. 'ids:' .. ARGV[i], prefix .. 'doc:' .. ARGV[i]) > 0 then return 0 end
  end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', prefix .. 'copying', '1', 'PX', ARGV[2])
return found and 2 or 1
`)

// Whether it is still this copy that fills the place, and for how long it may be silent.
const OURS = `
local prefix = string.sub(KEYS[1], 1, -7)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', prefix .. 'copying', '1', 'PX', ARGV[2])
`

/** KEYS: marker. ARGV: as above, then kind, id, version, facets (JSON), body of each record. Answers 0 where the place is lost. */
export const PUT = script(`${OURS}
for i = 3, #ARGV, 5 do
  local kind, id = ARGV[i], ARGV[i + 1]
  redis.call('HSET', prefix .. 'doc:' .. kind, id, ARGV[i + 2] .. '\\n' .. ARGV[i + 3] .. '\\n' .. ARGV[i + 4])
  redis.call('ZADD', prefix .. 'ids:' .. kind, 0, id)
  for _, facet in ipairs(cjson.decode(ARGV[i + 3])) do
    redis.call('ZADD', prefix .. 'facet:' .. kind .. ':' .. facet, 0, id)
  end
end
return 1
`)

/** KEYS: marker. ARGV: as above, then seq and note (JSON) of each entry. */
export const APPEND = script(`${OURS}
for i = 3, #ARGV, 2 do
  redis.call('XADD', prefix .. 'audit', ARGV[i] .. '-0', 'n', ARGV[i + 1])
end
return 1
`)

/** KEYS: marker. ARGV: as above, then the last seq. */
export const COUNT_FROM = script(`${OURS}
redis.call('SET', prefix .. 'seq', ARGV[3])
return 1
`)

/** KEYS: marker. ARGV: as above, then the marker of a store. */
export const FINISH = script(`${OURS}
redis.call('SET', KEYS[1], ARGV[3])
redis.call('DEL', prefix .. 'copying')
return 1
`)

/** KEYS: marker. ARGV: the marker of the copy. The last step of giving up: the place is empty again. */
export const RELEASE = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], string.sub(KEYS[1], 1, -7) .. 'copying')
return 1
`)
