import t, { type Test } from 'tap'
import { join } from 'node:path'
import { compilePorts, describeConfig, loadConfig } from '../src/config.ts'

const load = (t: Test, content: unknown, env: NodeJS.ProcessEnv = {}) => {
  const dir = t.testdir({
    'config.json': typeof content === 'string' ? content : JSON.stringify(content),
  })
  return loadConfig(join(dir, 'config.json'), env)
}

t.test('without a file everything has a default', async t => {
  const config = loadConfig(undefined, {})
  t.match(config, {
    store: 'sqlite',
    workers: 1,
    proxy: { host: '127.0.0.1', port: 3128, connectPorts: [443], httpPorts: [80, '1024-65535'] },
    admin: { host: '127.0.0.1', port: 8080 },
    dial: { hosts: {}, allow: [], servers: [] },
  })
  t.equal(config.dataDir, join(process.cwd(), 'data'))
  t.throws(() => Object.assign(config.proxy, { port: 1 }), TypeError, 'and it is frozen')
})

t.test('the data folder is relative to the configuration file', async t => {
  const dir = t.testdir({ 'config.json': '{"dataDir":"d"}' })
  t.equal(loadConfig(join(dir, 'config.json'), {}).dataDir, join(dir, 'd'))
})

t.test('the environment wins over the file', async t => {
  t.match(
    load(t, { proxy: { port: 1 } }, { PREAU_PROXY_PORT: '2', PREAU_LIMITS_CONNECTIONS: '7' }),
    {
      proxy: { port: 2 },
      limits: { connections: 7 },
    },
  )
})

t.test('a wrong key or value is refused, naming the key and what is allowed', async t => {
  const rows: [unknown, string, RegExp][] = [
    [{ prxy: {} }, 'prxy', /allowed: dataDir, store, redis/],
    [{ proxy: { prt: 1 } }, 'proxy.prt', /allowed: host, port, connectPorts/],
    [{ proxy: { port: 'x' } }, 'proxy.port', /number/],
    [{ proxy: { port: 70_000 } }, 'proxy.port', /65535/],
    [{ proxy: { connectPorts: ['a-b'] } }, 'proxy.connectPorts.0', /range/],
    [{ dial: { hosts: { 'a.test': 'b.test' } } }, 'dial.hosts.a.test', /IP address/],
    [{ dial: { allow: ['10.0.0/8'] } }, 'dial.allow.0', /CIDR/],
    [{ dial: { allow: ['::ffff:10.0.0.0/104'] } }, 'dial.allow.0', /CIDR/],
    [{ dial: { allow: ['10.0.0.0/8', '0.0.0.0/0'] } }, 'dial.allow.1', /whole Internet/],
    [{ dial: { allow: ['10.1.2.0'] } }, 'dial.allow.0', /with its length/],
    [{ admin: { trustedProxies: ['2001:db8::'] } }, 'admin.trustedProxies.0', /with its length/],
    [{ dial: { allow: ['::/0'] } }, 'dial.allow.0', /whole Internet/],
    [{ dial: { servers: ['dns.test'] } }, 'dial.servers.0', /IP address/],
    [{ limits: { nope: 1 } }, 'limits.nope', /allowed: headTimeoutMs/],
    [{ limits: { connections: -1 } }, 'limits.connections', />=0/],
    [{ limits: { dialTimeoutMs: 2 ** 31 } }, 'limits.dialTimeoutMs', /<=2147483647/],
    [{ limits: { accessLogRetentionDays: 366 } }, 'limits.accessLogRetentionDays', /365/],
    [{ limits: { requestRetentionDays: 0 } }, 'limits.requestRetentionDays', /365/],
    [
      { lists: { sources: [{ name: 'preau', url: 'http://a.test/' }] } },
      'lists.sources.0.name',
      /small/,
    ],
    [{ lists: { sources: [{ name: 'a', url: 'ftp://a.test/' }] } }, 'lists.sources.0.url', /http/],
    [
      {
        lists: { sources: Array.from({ length: 2 }, () => ({ name: 'a', url: 'http://a.test/' })) },
      },
      'lists.sources',
      /each name once/,
    ],
    [{ lists: { parentProxy: 'http://u:p@proxy.test/' } }, 'lists.parentProxy', /http/],
    [{ lists: { fetchToHourUtc: 24 } }, 'lists.fetchToHourUtc', /23/],
    [[], '(document)', /object/],
  ]
  for (const [content, key, detail] of rows) {
    t.throws(() => load(t, content), { code: 'PREAU_CONFIG_INVALID', params: { key, detail } }, key)
  }
  t.throws(() => load(t, '{"a":'), { code: 'PREAU_CONFIG_UNREADABLE' })
  t.throws(() => loadConfig('/nonexistent/preau.json', {}), { code: 'PREAU_CONFIG_UNREADABLE' })
})

t.test('ports are single or ranges', async t => {
  const isOpen = compilePorts([443, '8000-8100'])
  t.strictSame([442, 443, 444, 7999, 8000, 8100, 8101].map(isOpen), [
    false,
    true,
    false,
    false,
    true,
    true,
    false,
  ])
})

t.test('every key says what it is for', async t => {
  const rows = describeConfig()
  t.ok(rows.length > 30)
  for (const { key, text } of rows) t.ok(text.length > 5, key)
})
