/** What Redis does in one step with the files of `redis-files.ts`: nobody sees a manifest without its chunks. */
import { script } from './redis-scripts.ts'

/** Frees what a manifest names, on another thread of Redis (UNLINK); one that no Préau has written names nothing. */
const FREE = `
local function chunksOf(text)
  local isJson, manifest = pcall(cjson.decode, text or '')
  if not isJson or type(manifest) ~= 'table' then return nil, 0 end
  if type(manifest.upload) ~= 'string' or type(manifest.chunks) ~= 'number' then return nil, 0 end
  return manifest.upload, manifest.chunks
end
local function free(prefix, text, except)
  local upload, chunks = chunksOf(text)
  if upload == except then return end
  for i = 0, chunks - 1 do redis.call('UNLINK', prefix .. upload .. ':' .. i) end
end`

/**
 * KEYS: the table of manifests, then the chunks. ARGV: name, manifest, its upload, prefix of all chunks. Looks before it
 * writes, since nothing is undone. It may run twice: a first answer that was lost is no failure.
 */
export const FINISH = script(`${FREE}
for i = 2, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then return redis.error_reply('GONE a chunk has expired') end
end
local time = redis.call('TIME')
local manifest = cjson.decode(ARGV[2])
manifest.at = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HGET', KEYS[1], ARGV[1])
for i = 2, #KEYS do redis.call('PERSIST', KEYS[i]) end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(manifest))
if before then free(ARGV[4], before, ARGV[3]) end
return 1`)

/** KEYS: the table of manifests. ARGV: prefix of all chunks, then names. */
export const DROP = script(`${FREE}
for n = 2, #ARGV do
  local before = redis.call('HGET', KEYS[1], ARGV[n])
  if before then
    free(ARGV[1], before, nil)
    redis.call('HDEL', KEYS[1], ARGV[n])
  end
end
return 1`)
