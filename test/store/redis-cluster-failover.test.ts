/** Redis as a cluster: the node that has our slot dies, and its replica takes the slot with all that was acknowledged. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { addReplica, startCluster } from '../support/redis.ts'
import { eventually, latest, timed, unavailable } from './redis-world.ts'

t.test('the node of the slot dies under load: its replica goes on with all of it', async t => {
  const nodes = await startCluster(t)
  const [first, second, third] = nodes
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('no cluster')
  const slot = first.cli('cluster', 'keyslot', '{preau}:seq')
  // redis-cli gives a third of the slots to each, in this order.
  const owner = nodes[Math.min(2, Math.floor(Number(slot) / 5461))] ?? first
  const others = nodes.filter(node => node !== owner)
  const replica = await addReplica(t, owner, nodes)
  const url = `redis-cluster://${others.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  const careless = await openStore(redisConfig(url), { check: true })
  t.same((await careless.check()).warnings, [
    { code: 'failover-unsafe', params: { found: 1, wanted: 0 } },
  ])
  await careless.close()
  const store = await openStore(redisConfig(url, { replicas: 1 }), { check: true })
  t.teardown(() => store.close())
  t.same(await store.check(), { isUp: true, warnings: [] })

  const acknowledged: string[] = []
  const over = new AbortController()
  const writing = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      const done = store.commit(note(), [latest(`k${i}`)]).then(() => acknowledged.push(`k${i}`))
      await done.catch(() => wait(2))
    }
  })()
  while (acknowledged.length < 50) await wait(5)
  await owner.kill()
  await t.rejects(store.get('latest', 'k0'), unavailable())
  const back = await timed(eventually(() => store.get('latest', 'k0')))
  t.comment(`measured: reads again ${(back / 1_000).toFixed(1)} s after (node timeout: 2 s)`)
  const before = acknowledged.length
  const kept = new Set((await store.list('latest', { limit: 1_000_000 })).map(({ id }) => id))
  t.same(
    acknowledged.filter(id => !kept.has(id)),
    [],
    `of ${before} acknowledged`,
  )
  t.match(replica.cli('role'), /^master/)
  // What it alone has is not acknowledged; the dead one comes back behind it, and decisions go on.
  await wait(200)
  t.equal(acknowledged.length, before)
  await owner.start()
  while (acknowledged.length === before) await wait(20)
  over.abort()
  await writing
  t.match(owner.cli('role'), /^slave/)
  t.same(await store.check(), { isUp: true, warnings: [] })
})
