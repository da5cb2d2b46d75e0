import t, { type Test } from 'tap'
import { join } from 'node:path'
import { describeConfig, loadConfig } from '../src/config.ts'
import { PreauError } from '../src/errors.ts'

const load = (t: Test, content: unknown, env: NodeJS.ProcessEnv = {}) => {
  const dir = t.testdir({
    'config.json': typeof content === 'string' ? content : JSON.stringify(content),
  })
  return loadConfig(join(dir, 'config.json'), env)
}

function faultOf(t: Test, content: unknown, env: NodeJS.ProcessEnv = {}): PreauError {
  try {
    load(t, content, env)
  } catch (error) {
    if (error instanceof PreauError) return error
    throw error
  }
  throw new Error('it was taken')
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
    [{ proxy: { port: 'x' } }, 'proxy.port', /a number, not "x"/],
    [{ proxy: { port: 70_000 } }, 'proxy.port', /at most 65535, not 70000/],
    [{ proxy: { connectPorts: ['a-b'] } }, 'proxy.connectPorts.0', /range/],
    [{ proxy: { connectPorts: ['443-80'] } }, 'proxy.connectPorts.0', /range.*not "443-80"/],
    [{ proxy: { httpPorts: ['80-70000'] } }, 'proxy.httpPorts.0', /range/],
    [{ proxy: { host: 'example.com' } }, 'proxy.host', /address of this machine.*example\.com/],
    [{ admin: { host: 'example.com' } }, 'admin.host', /address of this machine.*example\.com/],
    [{ admin: { prot: 1 } }, 'admin.prot', /did you mean "port"/],
    [{ lists: { sources: [{ nam: 'a' }] } }, 'lists.sources.0.name', /is missing: a text/],
    [
      { lists: { sources: [{ name: 'a', url: 'http://a.test/', from: 1 }] } },
      'lists.sources.0.from (a)',
      /allowed: name, url, format/,
    ],
    [
      { lists: { sources: [{ name: 'a', url: 'http://a.test/', format: 'line' }] } },
      'lists.sources.0.format (a)',
      /did you mean "lines"/,
    ],
    [{ dial: { hosts: { 'a.test': 'b.test' } } }, 'dial.hosts.a.test', /IP address/],
    [{ dial: { allow: ['10.0.0/8'] } }, 'dial.allow.0', /CIDR/],
    [{ dial: { allow: ['::ffff:10.0.0.0/104'] } }, 'dial.allow.0', /CIDR/],
    [{ dial: { allow: ['10.0.0.0/8', '0.0.0.0/0'] } }, 'dial.allow.1', /whole Internet/],
    [{ dial: { allow: ['10.1.2.0'] } }, 'dial.allow.0', /with its length/],
    [{ admin: { trustedProxies: ['2001:db8::'] } }, 'admin.trustedProxies.0', /with its length/],
    [{ dial: { allow: ['::/0'] } }, 'dial.allow.0', /whole Internet/],
    [{ dial: { servers: ['dns.test'] } }, 'dial.servers.0', /IP address/],
    [{ limits: { nope: 1 } }, 'limits.nope', /allowed: headTimeoutMs/],
    [{ limits: { connections: -1 } }, 'limits.connections', /at least 0, not -1/],
    [{ limits: { dialTimeoutMs: 2 ** 31 } }, 'limits.dialTimeoutMs', /at most 2147483647/],
    [{ limits: { accessLogRetentionDays: 366 } }, 'limits.accessLogRetentionDays', /365/],
    [{ limits: { requestRetentionDays: 0 } }, 'limits.requestRetentionDays', /365/],
    [
      { lists: { sources: [{ name: 'preau', url: 'http://a.test/' }] } },
      'lists.sources.0.name (preau)',
      /small/,
    ],
    [
      { lists: { sources: [{ name: 'a', url: 'ftp://a.test/' }] } },
      'lists.sources.0.url (a)',
      /http/,
    ],
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
    const found = faultOf(t, content)
    t.equal(found.code, 'PREAU_CONFIG_INVALID', key)
    t.equal(found.params['key'], key)
    t.match(found.text('en'), detail)
    t.not(found.text('fr'), found.text('en'))
    t.notMatch(found.text('fr').replace(/\(.*?\)/, ''), /expected|allowed|Invalid/, 'French alone')
  }
  t.throws(() => load(t, '{"a":'), { code: 'PREAU_CONFIG_UNREADABLE' })
  t.throws(() => loadConfig('/nonexistent/preau.json', {}), { code: 'PREAU_CONFIG_UNREADABLE' })
})

t.test('what may be a password is not repeated in the message', async t => {
  const store = 'redis://preau:secret@host:99999'
  t.notMatch(faultOf(t, { store }).text('fr'), 'secret')
  t.notMatch(faultOf(t, { lists: { parentProxy: 'http://u:secret@h/' } }).text('en'), 'secret')
})

t.test(
  'a variable of the environment that is no key is refused, and the nearest one named',
  async t => {
    const refused = (env: NodeJS.ProcessEnv) => faultOf(t, {}, env)
    t.match(
      refused({ PREAU_PROXI_PORT: '1' }).text('fr'),
      /environnement.*PREAU_PROXI_PORT.*vouliez-vous dire «.PREAU_PROXY_PORT.»/,
    )
    t.match(refused({ PREAU_CONFG: 'x' }).text('en'), 'did you mean "PREAU_CONFIG"?')
    t.match(refused({ PREAU_COLOUR_OF_THE_SKY: 'x' }).text('fr'), 'tableau du README')
    t.match(
      refused({ PREAU_DIAL_HOSTS: 'x' }).text('fr'),
      'dial.hosts ne se donne que dans le fichier',
    )
    t.match(refused({ PREAU_ADMIN_TRUSTED_PROXIES: 'x' }).text('en'), 'admin.trustedProxies')
    t.match(load(t, {}, { PREAU_CONFIG: 'x', PREAU_STORE: 'sqlite', PATH: '/' }), {
      store: 'sqlite',
    })
  },
)

t.test('every key says what it is for', async t => {
  const rows = describeConfig()
  t.ok(rows.length > 30)
  for (const { key, text } of rows) t.ok(text.length > 5, key)
})
