/** Redis behind TLS: only a server whose certificate is known is talked to. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { makeTls, startRedis, startSentinel } from '../support/redis.ts'
import { freePort } from '../support/free-port.ts'
import { latest, unavailable } from './redis-world.ts'

t.test(
  'the store is reached over TLS, with the authority that the configuration names',
  async t => {
    const { ca, conf } = makeTls(t)
    const tlsPort = await freePort()
    const server = await startRedis(t, { ...conf, 'tls-port': String(tlsPort), requirepass: 'pw' })
    const url = `rediss://:pw@127.0.0.1:${tlsPort}`
    const store = await openStore(redisConfig(url, { caFile: ca }), { check: true })
    t.teardown(() => store.close())
    const told = new Promise<void>(resolve => store.watch(resolve))
    await store.commit(note(), [latest('k')])
    await told
    t.ok(await store.get('latest', 'k'))
    t.same(await store.check(), { isUp: true, warnings: [] })

    await t.rejects(
      openStore(redisConfig(url), { check: true }),
      unavailable(/certificate/),
      'an unknown authority',
    )
    const byName = `rediss://:pw@localhost:${tlsPort}`
    await t.rejects(
      openStore(redisConfig(byName, { caFile: ca }), { check: true }),
      unavailable(/localhost/),
      'a certificate of another name',
    )
    await t.rejects(
      openStore(redisConfig(`rediss://:pw@127.0.0.1:${server.port}`, { caFile: ca }), {
        check: true,
      }),
      unavailable(),
      'a server that speaks no TLS',
    )
    await t.rejects(openStore(redisConfig(url, { caFile: `${ca}.missing` }), { check: true }), {
      code: 'PREAU_STORE_UNREADABLE',
      params: { file: `${ca}.missing` },
    })
  },
)

t.test('sentinels, and the master that they name, are reached over TLS alone', async t => {
  const { ca, conf } = makeTls(t)
  const port = await freePort()
  const tls = { ...conf, 'tls-replication': 'yes' }
  const master = await startRedis(t, { ...tls, 'tls-port': String(port) })
  const sentinelPort = await freePort()
  const sentinelConf = { ...tls, 'tls-port': String(sentinelPort), requirepass: 'sentinel' }
  await startSentinel(t, { port }, undefined, sentinelConf)
  const url = `rediss-sentinel://127.0.0.1:${sentinelPort}/0#preau`
  const settings = { caFile: ca, sentinelPassword: 'sentinel' }
  const store = await openStore(redisConfig(url, settings), { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  t.ok(await store.get('latest', 'k'))
  t.notMatch(
    master.cli('client', 'list', 'type', 'normal'),
    `laddr=127.0.0.1:${master.port} .*name=preau`,
  )
  await t.rejects(
    openStore(redisConfig(url, { caFile: ca }), { check: true }),
    unavailable(/NOAUTH/),
    'without the password of the sentinels',
  )
  await t.rejects(
    openStore(redisConfig(url, { sentinelPassword: 'sentinel' }), { check: true }),
    unavailable(/no sentinel answers .*caFile/),
  )
})

t.test('a cluster is reached over TLS alone', async t => {
  const { ca, conf } = makeTls(t)
  const port = await freePort()
  const node = await startRedis(t, {
    ...conf,
    'tls-port': String(port),
    'tls-cluster': 'yes',
    'cluster-enabled': 'yes',
  })
  node.cli('cluster', 'addslotsrange', '0', '16383')
  while (!node.cli('cluster', 'info').includes('cluster_state:ok')) await wait(20)
  const url = `rediss-cluster://127.0.0.1:${port}`
  const store = await openStore(redisConfig(url, { caFile: ca }), { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  t.ok(await store.get('latest', 'k'))
  await t.rejects(openStore(redisConfig(url), { check: true }), unavailable(/certificate/))
})
