/** Redis behind TLS: only a server whose certificate is known is talked to. */
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { makeTls, startRedis } from '../support/redis.ts'
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
