/** Redis with sentinels: when the master dies the store goes on with the replica that they name. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis, startReplica, startSentinel } from '../support/redis.ts'
import { freePort } from '../support/free-port.ts'
import { eventually, latest, timed, unavailable } from './redis-world.ts'

t.test(
  'a master that dies under load: the replica takes over with all that was acknowledged',
  async t => {
    const master = await startRedis(t)
    const replica = await startReplica(t, master)
    const sentinel = await startSentinel(t, master, replica)
    // One sentinel of the list is off; that costs an attempt and no more.
    const url = `redis-sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/0#preau`
    const config = redisConfig(url, { replicas: 1, commandTimeoutMs: 600 })
    const store = await openStore(config, { check: true })
    t.teardown(() => store.close())
    t.same(await store.check(), { isUp: true, warnings: [] })
    const careless = await openStore(redisConfig(url), { check: true })
    t.match(await careless.check(), { warnings: [{ code: 'failover-unsafe' }] })
    await careless.close()
    let calls = 0
    store.watch(() => (calls += 1))

    const acknowledged: string[] = []
    for (let i = 0; i < 50; i++) {
      await store.commit(note(), [latest(`before-${i}`)])
      acknowledged.push(`before-${i}`)
    }
    const writing = (async () => {
      for (let i = 0; i < 100_000; i++) {
        const isDone = await store.commit(note(), [latest(`k${i}`)]).then(
          () => true,
          () => false,
        )
        if (isDone) acknowledged.push(`k${i}`)
        else await wait(2)
        if (i > 20 && !isDone) return
      }
    })()
    await wait(200)
    await master.kill()
    await writing
    calls = 0
    // The replica is alone now: nobody else could have what it writes.
    const down = await timed(
      (async () => {
        while (
          await store.get('latest', 'before-0').then(
            () => false,
            () => true,
          )
        )
          await wait(20)
      })(),
    )
    t.comment(
      `measured: reads again ${(down / 1_000).toFixed(1)} s after a master died (sentinel: 0.5 s)`,
    )
    const ids = new Set((await store.list('latest', { limit: 1_000_000 })).map(({ id }) => id))
    t.ok(acknowledged.length > 60, `${acknowledged.length} acknowledged`)
    t.same(
      acknowledged.filter(id => !ids.has(id)),
      [],
      'nothing acknowledged is missing',
    )
    const alone = () => store.commit(note(), [latest('alone')]).then(String, String)
    while (!/0 of 1 replicas/.test(await alone())) await wait(20)
    t.ok(calls > 0, 'those who watch were told')
    t.match(replica.cli('role'), /^master/)

    // The old master comes back as the replica that the sentinels make of it, and all is as before.
    await master.start({ replicaof: `127.0.0.1 ${replica.port}` })
    while (!/^slave[^]*connected/.test(master.cli('role'))) await wait(50)
    while (
      await store.commit(note(), [latest('together')]).then(
        () => false,
        () => true,
      )
    )
      await wait(50)
    t.match(master.cli('hget', '{preau}:doc:latest', 'together'), /"r"/)
  },
)

t.test('a master that sentinels do not know, and sentinels that are off, are said', async t => {
  const master = await startRedis(t)
  const sentinel = await startSentinel(t, master)
  const open = (url: string) => openStore(redisConfig(url), { check: true })
  await t.rejects(
    open(`redis-sentinel://127.0.0.1:${sentinel.port}/0#other`),
    unavailable(/sentinel/i),
  )
  await t.rejects(
    open(`redis-sentinel://127.0.0.1:${await freePort()}/0#preau`),
    unavailable(/sentinel/i),
  )
})

t.test('a sentinel that is silent costs one attempt', async t => {
  const master = await startRedis(t)
  const [silent, awake] = [await startSentinel(t, master), await startSentinel(t, master)]
  silent.pause()
  const url = `redis-sentinel://127.0.0.1:${silent.port},127.0.0.1:${awake.port}/0#preau`
  const commandTimeoutMs = 1_000
  const config = redisConfig(url, { commandTimeoutMs })
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  master.cli('client', 'kill', 'type', 'normal')
  const back = await timed(eventually(() => store.get('latest', 'k')))
  t.ok(back < commandTimeoutMs, 'and it is not asked first again')
})
