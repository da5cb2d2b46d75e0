/** Files in Redis: whole or not at all, whatever breaks on the way, in little memory. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import type { RedisFiles } from '../../src/store/redis-files.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startCluster, startRedis, startReplica, type RedisServer } from '../support/redis.ts'
import { openTestFiles } from './fixtures/test-files.ts'

const MB = 2 ** 20

interface World {
  readonly redis: RedisServer
  readonly client: Redis
  readonly files: RedisFiles
  readonly dir: string
  readonly path: (name: string) => string
  readonly write: (name: string, bytes: Uint8Array) => string
  /** Keys that hold chunks. */
  readonly chunks: () => Promise<string[]>
}

async function createWorld(t: Test, patienceMs = 10_000): Promise<World> {
  // Its folder is made anew by `testdir`: first of all.
  const dir = t.testdir()
  const redis = await startRedis(t, { appendfsync: 'everysec' })
  const client = new Redis(redis.url)
  const files = openTestFiles(redis.url, patienceMs)
  client.on('error', () => undefined)
  t.teardown(async () => {
    client.disconnect()
    await files.close()
  })
  const path = (name: string): string => join(dir, name)
  return {
    redis,
    client,
    files,
    dir,
    path,
    write(name, bytes) {
      writeFileSync(path(name), bytes)
      return path(name)
    },
    chunks: () => client.keys('{test}:chunk:*'),
  }
}

t.test('what one machine puts another one fetches, the same to the last byte', async t => {
  const { files, write, path, client, chunks } = await createWorld(t)
  for (const [name, bytes] of [
    ['empty', 0],
    ['one', 1],
    ['exact', MB],
    ['more', 3 * MB + 17],
  ] as const) {
    const content = randomBytes(bytes)
    const steps: number[] = []
    await files.put(`lists-1/${name}`, write(name, content), { onProgress: at => steps.push(at) })
    t.equal(steps.at(-1) ?? 0, bytes)
    const file = await files.fetch(`lists-1/${name}`, path(`${name}.back`))
    t.ok(content.equals(readFileSync(path(`${name}.back`))), name)
    t.match(file, { bytes, sha256: /^[0-9a-f]{64}$/ })
  }
  t.equal((await chunks()).length, 0 + 1 + 1 + 4)
  for (const key of await chunks()) t.equal(await client.ttl(key), -1, 'what is whole stays')
  const known = await files.list()
  t.same(
    [...known.keys()].sort(),
    ['empty', 'exact', 'more', 'one'].map(name => `lists-1/${name}`),
  )
  t.ok([...known.values()].every(({ ageMs }) => ageMs >= 0 && ageMs < 60_000))
  await files.drop(['lists-1/more', 'lists-1/never-there'])
  t.equal((await files.list()).size, 3)
  t.equal((await chunks()).length, 2, 'its chunks are gone with it')
  await t.rejects(files.fetch('lists-1/more', path('x')), { code: 'PREAU_FILE_NOT_SHARED' })
})

t.test('domains are stored compressed, and the same content is not sent twice', async t => {
  const { files, write, client } = await createWorld(t)
  const text = Buffer.from(
    Array.from({ length: 200_000 }, (_, i) => `host-${i}.example\n`).join(''),
  )
  const path = write('list', text)
  await files.put('list', path)
  const stored = (await files.list()).get('list')
  t.ok((stored?.storedBytes ?? Infinity) < text.length / 2)
  const before = await client.info('commandstats')
  await files.put('list', path)
  const sets = (info: string): string => /cmdstat_set:calls=(\d+)/.exec(info)?.[1] ?? ''
  t.equal(sets(await client.info('commandstats')), sets(before))
  await files.put('list', write('list', randomBytes(10)))
  t.equal((await files.list()).get('list')?.bytes, 10, 'another content replaces it')
  t.equal((await client.keys('*chunk*')).length, 1, 'and takes the old chunks along')
})

t.test('a damaged or missing chunk is refused, and what stood on the disk stays', async t => {
  const { files, write, path, client, chunks } = await createWorld(t)
  await files.put('list', write('list', Buffer.alloc(2 * MB + 5, 'a')))
  const old = write('target', Buffer.from('old'))
  const [key = ''] = await chunks()
  const good = await client.getBuffer(key)
  const damage = async (bytes: Buffer | null): Promise<void> => {
    if (bytes === null) await client.del(key)
    else await client.set(key, bytes)
    await t.rejects(files.fetch('list', old), { code: 'PREAU_SHARED_FILE_DAMAGED' })
    t.equal(readFileSync(old, 'utf8'), 'old')
    t.same(
      readdirSync(dirname(old))
        .filter(name => /list|target/.test(name))
        .sort(),
      ['list', 'target'],
      'nothing is left of the attempt',
    )
  }
  const flipped = Buffer.from(good ?? '')
  flipped.writeUInt8(flipped.readUInt8(flipped.length >> 1) ^ 1, flipped.length >> 1)
  await damage(flipped)
  await damage(Buffer.from('not compressed'))
  await damage(good?.subarray(0, good.length - 1) ?? null)
  await damage(zstdCompressSync(Buffer.alloc(MB, 'b')))
  await damage(null)
  await client.hset('{test}:files', 'list', '{"bytes":1}')
  await t.rejects(files.fetch('list', old), { code: 'PREAU_FILE_NOT_SHARED' })
  await files.put('list', path('list'))
  await files.fetch('list', old)
  t.equal(readFileSync(old).length, 2 * MB + 5, 'a machine that has it whole heals it')
})

t.test('a chunk that unpacks to more than a chunk is not unpacked', async t => {
  const { files, write, path, client, chunks } = await createWorld(t)
  await files.put('list', write('list', Buffer.alloc(10)))
  await client.set((await chunks())[0] ?? '', zstdCompressSync(Buffer.alloc(500 * MB)))
  const before = process.memoryUsage.rss()
  await t.rejects(files.fetch('list', path('x')), { code: 'PREAU_SHARED_FILE_DAMAGED' })
  t.ok(process.memoryUsage.rss() - before < 100 * MB)
})

t.test('a broken connection in the middle: both ways go on where they were', async t => {
  const { files, write, path, client } = await createWorld(t)
  const content = randomBytes(30 * MB)
  const cut = (at: number) => {
    let cuts = 0
    return (bytes: number): void => {
      if (bytes > (cuts + 1) * at) {
        cuts++
        void client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
    }
  }
  await files.put('big', write('big', content), { onProgress: cut(7 * MB) })
  await files.fetch('big', path('back'), { onProgress: cut(7 * MB) })
  t.ok(content.equals(readFileSync(path('back'))))
})

t.test(
  'Redis that stays away ends the transfer with a clear error, and nothing is left',
  async t => {
    const { files, write, path, redis, dir } = await createWorld(t, 300)
    await files.put('big', write('big', randomBytes(20 * MB)))
    let isStopped = false
    const stop = (): void => {
      if (!isStopped) redis.pause()
      isStopped = true
    }
    await t.rejects(files.fetch('big', path('back'), { onProgress: stop }), {
      code: 'PREAU_STORE_UNAVAILABLE',
    })
    redis.resume()
    t.same(
      readdirSync(dir).filter(name => !name.startsWith('redis-')),
      ['big'],
    )
  },
)

t.test('a transfer that is given up ends at once, also where Redis is silent', async t => {
  const { files, write, redis } = await createWorld(t, 60_000)
  const controller = new AbortController()
  let silentAt = 0
  const onProgress = (): void => {
    if (silentAt === 0) {
      redis.pause()
      silentAt = performance.now()
      setTimeout(() => controller.abort(new Error('given up')), 50)
    }
  }
  const path = write('big', randomBytes(8 * MB))
  await t.rejects(files.put('big', path, { onProgress, signal: controller.signal }), /given up/)
  const waitedMs = performance.now() - silentAt
  redis.resume()
  t.ok(waitedMs < 1_500, 'sooner than the silence itself is noticed (2 s)')
  t.comment(`measured: ended after ${Math.round(waitedMs)} ms`)
})

t.test('an upload of which a failover has lost a piece begins anew', async t => {
  const { files, write, path, client, chunks } = await createWorld(t)
  const content = randomBytes(6 * MB)
  let isLost = false
  const lose = (bytes: number): void => {
    if (isLost || bytes < 2 * MB) return
    isLost = true
    void chunks().then(keys => client.del(keys[0] ?? ''))
  }
  await files.put('big', write('big', content), { onProgress: lose })
  await files.fetch('big', path('back'))
  t.ok(isLost && content.equals(readFileSync(path('back'))))
})

t.test('an upload that died half-way leaves chunks that end by themselves', async t => {
  const { files, write, client, chunks } = await createWorld(t)
  const controller = new AbortController()
  const onProgress = (bytes: number): void => {
    if (bytes > MB) controller.abort(new Error('killed'))
  }
  const path = write('big', randomBytes(5 * MB))
  await t.rejects(files.put('big', path, { onProgress, signal: controller.signal }), /killed/)
  t.equal((await files.list()).size, 0)
  const left = await chunks()
  t.equal(left.length, 2)
  for (const key of left) t.ok((await client.ttl(key)) > 0)
})

t.test('a file that would fill the memory of Redis is refused before it takes any', async t => {
  const { files, write, client, chunks } = await createWorld(t)
  await client.config('SET', 'maxmemory', '12mb')
  await t.rejects(files.put('big', write('big', randomBytes(20 * MB))), {
    code: 'PREAU_STORE_FULL',
    params: { name: 'big', needed: 21 },
  })
  t.same(await chunks(), [])
  await files.put('small', write('small', randomBytes(5 * MB)))
  await client.config('SET', 'maxmemory', '6mb')
  await t.rejects(files.put('next', write('next', randomBytes(100))), {
    code: 'PREAU_STORE_UNAVAILABLE',
    message: /OOM/,
  })
})

t.test('no name leads out of the folder', async t => {
  const { files, write, client } = await createWorld(t)
  const path = write('x', Buffer.from('x'))
  for (const name of ['../x', '..', 'a/../x', '/x', 'a/b/c', '.x', 'a/.x', ''])
    await t.rejects(files.put(name, path), /not a name/, name)
  await files.put('x', path)
  await client.hset('{test}:files', '../x', (await client.hget('{test}:files', 'x')) ?? '')
  t.same([...(await files.list()).keys()], ['x'])
})

t.test(
  '120 MB go through a process in little memory, and Redis answers others meanwhile',
  async t => {
    const { redis, write, path, client } = await createWorld(t)
    const big = write('big', randomBytes(120 * MB))
    let longestMs = 0
    const over = new AbortController()
    const watch = (async () => {
      while (!over.signal.aborted) {
        const at = performance.now()
        await client.ping()
        longestMs = Math.max(longestMs, performance.now() - at)
        await elapsed(2)
      }
    })()
    const script = join(import.meta.dirname, 'fixtures/transfer-process.ts')
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, [script, redis.url, big, path('back')])
    over.abort()
    await watch
    const told = JSON.parse(stdout) as Record<'putMs' | 'fetchMs' | 'grownMb', number>
    t.ok(readFileSync(big).equals(readFileSync(path('back'))))
    t.comment(
      `measured: 120 MB up in ${told.putMs} ms, down in ${told.fetchMs} ms; resident memory +${told.grownMb} MB at most; longest PING of another client ${longestMs.toFixed(0)} ms`,
    )
    // Mostly chunks that wait for the garbage collector, which lets some tens of megabytes come together.
    t.ok(told.grownMb < 110, 'less than the file')
  },
)

t.test('in a cluster all chunks of a file are where its manifest is', async t => {
  const dir = t.testdir()
  const nodes = await startCluster(t)
  const url = `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`
  const store = await openStore(redisConfig(url), { check: true })
  t.teardown(() => store.close())
  const from = join(dir, 'big')
  writeFileSync(from, randomBytes(3 * MB))
  await store.files?.put('big', from)
  await store.files?.fetch('big', join(dir, 'back'))
  t.ok(readFileSync(from).equals(readFileSync(join(dir, 'back'))))
  await store.files?.drop(['big'])
  t.equal(nodes.map(node => node.cli('--scan', '--pattern', '*chunk*')).join(''), '')
})

t.test(
  'a file has reached the replicas when it is put; one that is away costs some seconds',
  async t => {
    const master = await startRedis(t)
    const replica = await startReplica(t, master)
    const folder = t.testdir({ file: 'text' })
    const store = await openStore(redisConfig(master.url, { replicas: 1 }), { check: true })
    t.teardown(() => store.close())
    await store.files?.put('there', join(folder, 'file'))
    const chunks = () => replica.cli('keys', '{preau}:*').split('\n').length
    t.ok(chunks() > 0)
    replica.pause()
    await store.files?.put('away', join(folder, 'file'), { isForced: true })
    t.equal((await store.files?.list())?.size, 2)
    replica.resume()
  },
)
