import t from 'tap'
import { parseStoreAddress, redisSchema } from '../../../src/config-store.ts'
import { copyStore } from '../../../src/store/copy/copy.ts'
import { openRedisReading } from '../../../src/store/copy/redis-reading.ts'
import type { RedisPlace } from '../../../src/store/copy/redis-place.ts'
import { openRedisWriting } from '../../../src/store/copy/redis-writing.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { copyContract, sqliteSpot, type MakeSpot } from '../../contract/copy.ts'
import { note } from '../../contract/store.ts'
import { proposedRights } from '../../support/readme.ts'
import { redisConfig } from '../../support/redis-config.ts'
import { startCluster, startRedis, startReplica } from '../../support/redis.ts'

const server = await startRedis(t)
let spots = 0

const placeAt = (prefix: string, url = server.url): RedisPlace => {
  const address = parseStoreAddress(url)
  if (address?.engine !== 'redis') throw new Error(url)
  return { url, address, settings: { ...redisSchema.parse({}), prefix } }
}
const openAt = ({ url, settings }: RedisPlace) =>
  openStore(redisConfig(url, settings), { check: true })

const redisSpot: MakeSpot = () => {
  const place = placeAt(`spot${++spots}`)
  return {
    open: () => openAt(place),
    reading: () => openRedisReading(place),
    writing: () => openRedisWriting(place),
  }
}

copyContract(t, 'SQLite to Redis', sqliteSpot, redisSpot)
copyContract(t, 'Redis to SQLite', redisSpot, sqliteSpot)
copyContract(t, 'Redis to Redis', redisSpot, redisSpot)

const fill = async (place: RedisPlace): Promise<void> => {
  const store = await openAt(place)
  await store.commit(note(), [{ kind: 'latest', id: 'k', body: { requestId: 'r' } }])
  await store.close()
}
const keysOf = (prefix: string): string[] =>
  server
    .cli('--scan', '--pattern', `{${prefix}}:*`)
    .split('\n')
    .filter(key => key !== '')
    .toSorted()

t.test(
  'a copy that was killed is no store, is told as such, and the next one begins anew',
  async t => {
    const [from, to] = [placeAt('whole'), placeAt('killed')]
    await fill(from)
    // What a process leaves that dies in the middle, once its lease has run out.
    const writing = await openRedisWriting(to)
    await writing.put([{ kind: 'latest', key: 'old', version: 1, body: '{"requestId":"r"}' }])
    await t.rejects(
      openRedisWriting(to),
      { code: 'PREAU_STORE_NOT_EMPTY' },
      'another one is at work',
    )
    const refused = { code: 'PREAU_STORE_DAMAGED', message: /run ".*preau store copy" again/ }
    await t.rejects(openAt(to), refused)
    await t.rejects(openRedisReading(to), refused)
    server.cli('DEL', '{killed}:copying')
    await copyStore(await openRedisReading(from), await openRedisWriting(to))
    await t.rejects(writing.put([]), { code: 'PREAU_STORE_NOT_EMPTY' }, 'the first cannot go on')
    await writing.abandon()
    const store = await openAt(to)
    t.match(await store.list('latest'), [{ id: 'k' }])
    t.equal((await store.list('latest')).length, 1)
    await store.close()
  },
)

t.test(
  'nothing is left behind: neither by a copy that was read, nor by one that was given up',
  async t => {
    const [from, to] = [placeAt('read'), placeAt('abandoned')]
    await fill(from)
    const before = keysOf('read')
    const reading = await openRedisReading(from)
    t.ok(keysOf('read').length > before.length)
    const [snapshot = ''] = server.cli('--scan', '--pattern', '{read}:snapshot:*:audit').split('\n')
    t.ok(Number(server.cli('PTTL', snapshot)) > 0, 'and it would go by itself')
    await reading.close()
    t.strictSame(keysOf('read'), before)
    const writing = await openRedisWriting(to)
    await writing.put([{ kind: 'latest', key: 'k', version: 1, body: '{"requestId":"r"}' }])
    await writing.abandon()
    t.strictSame(keysOf('abandoned'), [])
  },
)

// Redis throws away what has an end where its memory is full (`volatile-*`), and a copy may be held up for an hour.
for (const lost of ['doc:latest', 'ids:latest', 'audit']) {
  t.test(
    `a copy of which Redis has lost the ${lost} meanwhile does not pass for whole`,
    async t => {
      const [from, to] = [placeAt(`lossy-${lost.replace(':', '-')}`), sqliteSpot(t)]
      await fill(from)
      const reading = await openRedisReading(from)
      const [key = ''] = keysOf(from.settings.prefix).filter(
        name => name.endsWith(lost) && name.includes('snapshot:'),
      )
      server.cli('DEL', key)
      const writing = await (await to).writing()
      await t.rejects(copyStore(reading, writing), { code: 'PREAU_STORE_COPY_DIFFERS' })
      await t.rejects((await to).reading(), { code: 'PREAU_STORE_UNREADABLE' }, 'nothing is left')
    },
  )
}

t.test(
  'a Redis without the memory for it twice refuses to be copied, and goes on taking commits',
  async t => {
    const place = placeAt('full')
    const store = await openAt(place)
    const body = { requestId: 'x'.repeat(1_000_000) }
    for (let i = 0; i < 8; i++) await store.commit(note(), [{ kind: 'latest', id: `${i}`, body }])
    const used = Number(/used_memory:(\d+)/.exec(server.cli('INFO', 'memory'))?.[1])
    t.teardown(() => server.cli('CONFIG', 'SET', 'maxmemory', '0'))
    server.cli('CONFIG', 'SET', 'maxmemory', String(used + 6_000_000))
    await t.rejects(openRedisReading(place), {
      code: 'PREAU_STORE_UNAVAILABLE',
      message: /no room/,
    })
    await t.resolves(
      store.commit(note(), [{ kind: 'latest', id: 'after', body: { requestId: 'r' } }]),
    )
    await store.close()
    server.cli('CONFIG', 'SET', 'maxmemory', '0')
  },
)

t.test('a password is never told, whatever goes wrong', async t => {
  const locked = await startRedis(t, { requirepass: 'secret' })
  const port = String(locked.port)
  const rows = [`redis://:wrong-secret@127.0.0.1:${port}`, 'redis://:secret@127.0.0.1:1']
  for (const url of rows) {
    for (const open of [openRedisReading, openRedisWriting]) {
      const error = await open(placeAt('p', url)).then(
        () => undefined,
        (caught: unknown) => caught as Error,
      )
      t.match(error, { code: 'PREAU_STORE_UNAVAILABLE' })
      t.notMatch(`${error?.message} ${error?.stack}`, 'secret')
    }
  }
})

t.test('the account that the operations page proposes may copy', async t => {
  const guarded = await startRedis(t)
  guarded.cli('ACL', 'SETUSER', 'preau', ...proposedRights('word'))
  const place = placeAt('preau', `redis://preau:word@127.0.0.1:${guarded.port}`)
  await fill(place)
  const to = await sqliteSpot(t)
  const there = await copyStore(await openRedisReading(place), await to.writing())
  guarded.cli('FLUSHALL')
  t.strictSame(await copyStore(await to.reading(), await openRedisWriting(place)), there)
  const broken = placeAt('preau', `redis://preau:word@127.0.0.1:${guarded.port}`)
  await t.rejects(openRedisWriting(broken), { code: 'PREAU_STORE_NOT_EMPTY' })
})

t.test('a replica is not written to', async t => {
  const replica = await startReplica(t, server)
  await t.rejects(openRedisWriting(placeAt('p', replica.url)), { code: 'PREAU_STORE_UNAVAILABLE' })
})

t.test('a cluster is copied from and to like any other', async t => {
  const [node] = await startCluster(t)
  const url = `redis-cluster://127.0.0.1:${node?.port}`
  const [from, to] = [placeAt('one', url), placeAt('two', url)]
  await fill(from)
  const there = await copyStore(await openRedisReading(from), await openRedisWriting(to))
  t.match(there, { records: 1, audit: 1 })
})
