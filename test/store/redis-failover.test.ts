/**
 * Several replicas. Sentinel does not ask who has acknowledged what: it takes a replica by what it last heard of its
 * offset, and a master that it has deposed in error goes on answering for a second, with the replicas that do not know yet.
 */
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseStoreAddress, redisSchema, type RedisAddress } from '../../src/config-store.ts'
import { connectorFor } from '../../src/store/open-redis-store.ts'
import { openStore } from '../../src/store/open-store.ts'
import { redisKeys } from '../../src/store/redis-records.ts'
import { RedisStore } from '../../src/store/redis-store.ts'
import type { CommitNote, Store, StoreHealth } from '../../src/store/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis, startReplica, startSentinel, type RedisServer } from '../support/redis.ts'
import { eventually, latest, unavailable } from './redis-world.ts'

const noteOn = (subject: string): CommitNote => ({
  by: 'dsi',
  action: 'test.write',
  subject,
  at: 1_700_000_000_000,
})
const write = (store: Store, id: string) => store.commit(noteOn(id), [latest(id)])

async function startThree(t: Test) {
  const master = await startRedis(t)
  const replicas = [await startReplica(t, master), await startReplica(t, master)] as const
  return { master, replicas }
}

/** Nothing where it has just ended the connections of its clients, as sentinels make it do. */
function roleOf(server: RedisServer): string {
  try {
    return server.cli('role')
  } catch {
    return ''
  }
}

const isMaster = (server: RedisServer): boolean => roleOf(server).startsWith('master')

/** Until the sentinel has heard of both replicas all that it chooses by. */
async function untilKnown(sentinel: RedisServer): Promise<void> {
  const told = () => sentinel.cli('sentinel', 'replicas', 'preau')
  while (told().match(/\nmaster-link-status\nok\n/g)?.length !== 2) await wait(50)
}

t.test('a master that was only slow is deposed: what it acknowledges is not lost', async t => {
  const { master, replicas } = await startThree(t)
  const sentinel = await startSentinel(t, master, replicas)
  await untilKnown(sentinel)
  const config = redisConfig(`redis-sentinel://127.0.0.1:${sentinel.port}/0#preau`, { replicas: 2 })
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  t.same((await store.check()).warnings, [])

  const acknowledged: string[] = []
  const refused = new Set<string>()
  const over = new AbortController()
  const writing = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      const done = write(store, `k${i}`).then(() => acknowledged.push(`k${i}`))
      await done.catch((error: unknown) => refused.add(String(error)))
      await wait(2)
    }
  })()
  const untilMore = async (than: number): Promise<void> => {
    while (acknowledged.length <= than) await wait(5)
  }
  await untilMore(20)
  master.pause()
  while (!replicas.some(isMaster)) await wait(5)
  const before = acknowledged.length
  // From here on it answers again, and thinks that it is the master; one replica still follows it.
  master.resume()
  const next = replicas.find(isMaster)
  const other = replicas.find(each => each !== next)
  if (next === undefined || other === undefined) throw new Error('nobody was chosen')
  while (!roleOf(other).includes(`\n${next.port}\nconnected`)) await wait(5)
  // Sentinel lets eight seconds pass before it does that.
  master.cli('replicaof', '127.0.0.1', String(next.port))
  await untilMore(before)
  over.abort()
  await writing
  t.comment(`measured: refused with ${[...refused].join(' | ')}`)
  const kept = new Set(next.cli('hkeys', '{preau}:doc:latest').split('\n'))
  t.same(
    acknowledged.filter(id => !kept.has(id)),
    [],
    `of ${acknowledged.length} acknowledged`,
  )
  const { warnings } = await store.check()
  t.notOk(
    warnings.some(({ code }) => code === 'acts-lost'),
    'and none is said to be',
  )
})

/** Once each of its connections stands again. */
const answering = (store: Store): Promise<StoreHealth> =>
  eventually(async () => {
    const health = await store.check()
    if (!health.isUp) throw new Error(JSON.stringify(health.detail))
    return health
  })

t.test(
  'where fewer are waited for than may be chosen this is told, and what it has cost',
  async t => {
    const { master, replicas } = await startThree(t)
    const [next, other] = replicas
    const sentinel = await startSentinel(t, master, next)
    const config = redisConfig(`redis-sentinel://127.0.0.1:${sentinel.port}/0#preau`, {
      replicas: 1,
    })
    const store = await openStore(config, { check: true })
    t.teardown(() => store.close())
    t.same((await store.check()).warnings, [
      { code: 'failover-unsafe', params: { found: 2, wanted: 1 } },
    ])
    await eventually(() => write(store, 'kept'))
    while (next.cli('hget', '{preau}:doc:latest', 'kept') === '') await wait(10)
    // The steps of Sentinel, with all the time that it may take between them.
    next.cli('replicaof', 'no', 'one')
    for (let i = 0; i < 3; i++) await eventually(() => write(store, `lost-${i}`))
    sentinel.cli('sentinel', 'remove', 'preau')
    sentinel.cli('sentinel', 'monitor', 'preau', '127.0.0.1', String(next.port), '1')
    for (const server of [other, master]) server.cli('replicaof', '127.0.0.1', String(next.port))
    // Others count on by the same numbers.
    await eventually(async () => {
      for (let i = 0; i < 5; i++) await write(store, `after-${i}`)
    })
    const lost = {
      code: 'acts-lost',
      params: { count: 3, names: 'test.write lost-0, test.write lost-1, test.write lost-2' },
    }
    t.same((await answering(store)).warnings[0], lost)
    master.cli('client', 'kill', 'type', 'normal')
    next.cli('client', 'kill', 'type', 'normal')
    await eventually(() => write(store, 'again'))
    t.same((await answering(store)).warnings[0], lost, 'told once')
  },
)

t.test('decisions do not stop for long because one replica is away', async t => {
  const { master, replicas } = await startThree(t)
  const [first, second] = replicas
  const address = parseStoreAddress(master.url) as RedisAddress
  const store = new RedisStore({
    connector: connectorFor(address, redisSchema.parse({})),
    keys: redisKeys('preau'),
    place: master.url,
    replicas: 2,
    absentMs: 3_000,
    canFailOver: true,
    timeoutMs: 600,
    attempts: 1,
    mayCreate: true,
  })
  t.teardown(() => store.close())
  await store.opened()
  await eventually(() => write(store, 'both'))
  await first.kill()
  await t.rejects(write(store, 'soon'), unavailable(/[01] of 2 replicas/))
  await eventually(() => write(store, 'later'))
  t.match((await store.check()).warnings, [
    { code: 'replicas-missing', params: { found: 1, wanted: 2 } },
  ])
  await first.start()
  const follows = new RegExp(`^${first.port}$`, 'm')
  while (!follows.test(master.cli('role'))) await wait(20)
  await eventually(() => write(store, 'together'))
  // It is back, and counts: a change that it has not got is not acknowledged.
  first.pause()
  await t.rejects(write(store, 'without'), unavailable(/[01] of 2 replicas/))
  first.resume()
  await Promise.all([first.kill(), second.kill()])
  await t.rejects(write(store, 'alone'), unavailable(/0 of [12] replicas/))
})
