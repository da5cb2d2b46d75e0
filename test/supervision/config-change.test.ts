/** What a new configuration changes at once, and what of it waits, is told by its keys. */
import t from 'tap'
import { configSchema } from '../../src/config.ts'
import { compareConfigs } from '../../src/supervision/config-change.ts'

const config = (input: object = {}) => configSchema.parse(input)

t.test('the same configuration changes nothing', async t => {
  const now = config({ limits: { connections: 5 }, dial: { hosts: { 'a.test': '192.0.2.1' } } })
  t.match(compareConfigs(now, structuredClone(now)), { changed: [], waiting: [], config: now })
})

t.test('each changed key is named, a list or a table as a whole', async t => {
  const now = config({
    workers: 3,
    limits: { connections: 5 },
    proxy: { connectPorts: [443, 8443] },
    dial: { hosts: { 'a.test': '192.0.2.1' } },
  })
  const change = compareConfigs(config(), now)
  t.strictSame(
    new Set(change.changed),
    new Set(['workers', 'limits.connections', 'proxy.connectPorts', 'dial.hosts']),
  )
  t.strictSame(change.waiting, [])
  t.strictSame(change.config, now)
})

t.test('sockets and the place of the data wait: their old values stay in force', async t => {
  const before = config()
  const now = config({
    dataDir: '/elsewhere',
    store: 'redis://other',
    proxy: { host: '::', port: 1, httpPorts: [80] },
    admin: { host: '::1', port: 2 },
  })
  const { changed, waiting, config: inForce } = compareConfigs(before, now)
  t.strictSame(changed, ['proxy.httpPorts'])
  t.strictSame(
    new Set(waiting),
    new Set(['dataDir', 'store', 'proxy.host', 'proxy.port', 'admin.host', 'admin.port']),
  )
  t.strictSame(inForce, config({ proxy: { httpPorts: [80] } }))
  t.strictSame(
    new Set(compareConfigs(inForce, now).waiting),
    new Set(waiting),
    'told again at the next reload',
  )
})

t.test('the section of Redis waits as a whole', async t => {
  const before = config({ redis: { prefix: 'a' } })
  const now = config({ redis: { prefix: 'b' } })
  const change = compareConfigs(before, now)
  t.strictSame(change.waiting, ['redis.prefix'])
  t.match(change.config, { redis: { prefix: 'a' } })
})
