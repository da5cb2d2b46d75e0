import t from 'tap'
import { loadConfig } from '../src/config.ts'
import { parseStoreAddress, storeName } from '../src/config-store.ts'

t.test('an address of Redis says where it is and who may enter', async t => {
  const single = { engine: 'redis', mode: 'single', isTls: false, db: 0 }
  const at = (host: string, port = 6_379) => [{ host, port }]
  const rows: [string, object][] = [
    ['sqlite', { engine: 'sqlite' }],
    ['redis://cache.example', { ...single, endpoints: at('cache.example') }],
    ['redis://10.0.0.5:7000/3', { ...single, endpoints: at('10.0.0.5', 7_000), db: 3 }],
    ['redis://[2001:db8::5]:7000/', { ...single, endpoints: at('2001:db8::5', 7_000) }],
    ['rediss://:p%40ss@c', { ...single, isTls: true, endpoints: at('c'), password: 'p@ss' }],
    [
      'redis://preau:a/b@c#d@cache/1',
      { ...single, endpoints: at('cache'), username: 'preau', password: 'a/b@c#d', db: 1 },
    ],
    [
      'redis-sentinel://:pw@s1,s2:26380,[::1]/2#city',
      {
        ...single,
        mode: 'sentinel',
        endpoints: [...at('s1', 26_379), ...at('s2', 26_380), ...at('::1', 26_379)],
        password: 'pw',
        db: 2,
        master: 'city',
      },
    ],
    [
      'rediss-cluster://n1,n2:7001',
      { ...single, mode: 'cluster', isTls: true, endpoints: [...at('n1'), ...at('n2', 7_001)] },
    ],
  ]
  for (const [text, address] of rows) t.strictSame(parseStoreAddress(text), address, text)
})

t.test(
  'an address that is wrong is refused when Préau starts, and its password is not told',
  async t => {
    const wrong = [
      '',
      'Sqlite',
      'redis:',
      'redis://',
      'redis://:secret@',
      'redis://:secret@a,b',
      'redis://secret@a',
      'redis://:secret@a:0',
      'redis://:secret@a:70000',
      'redis://:secret@a/x',
      'redis://:secret@a/0?family=6',
      'redis://:secret@a#master',
      'redis://:%secret@a',
      'redis-sentinel://:secret@a,b/0',
      'redis-sentinel://:secret@a,,b#m',
      'redis-cluster://:secret@a/1',
      `redis-cluster://:secret@${Array.from({ length: 33 }, (_, i) => `n${i}`).join(',')}`,
      'redis://:secret@a b',
      'redis://:secret@a\n',
      'unix:///secret.sock',
      'mysql://:secret@a',
    ]
    for (const store of wrong) {
      t.equal(parseStoreAddress(store), undefined, store)
      t.throws(
        () => loadConfig(undefined, { PREAU_STORE: store }),
        { code: 'PREAU_CONFIG_INVALID', params: { key: 'store' }, message: /redis-sentinel:/ },
        store,
      )
      try {
        loadConfig(undefined, { PREAU_STORE: store })
      } catch (error) {
        t.notMatch(String(error), 'secret')
      }
    }
  },
)

t.test('an address is shown without user and password', async t => {
  for (const text of ['redis://u:p@h/0', 'redis://u:a@b/c@h/0', '//u:p@h/0', 'u:p@h/0'])
    t.equal(storeName(text).replace(/^.*\/\//, ''), 'h/0', text)
  t.equal(storeName('redis://u:p@h:1,i:2/0#m'), 'redis://h:1,i:2/0#m')
  t.equal(storeName('sqlite'), 'sqlite')
})

t.test('the settings of Redis come from the file or the environment', async t => {
  t.match(loadConfig(undefined, {}).redis, {
    prefix: 'preau',
    replicas: 0,
    commandTimeoutMs: 2_000,
    caFile: null,
    sentinelPassword: null,
  })
  const env = {
    PREAU_REDIS_PREFIX: '2026',
    PREAU_REDIS_REPLICAS: '1',
    PREAU_REDIS_CA_FILE: 'ca.pem',
    PREAU_REDIS_SENTINEL_PASSWORD: '0042',
  }
  t.match(loadConfig(undefined, env).redis, {
    prefix: '2026',
    replicas: 1,
    caFile: `${process.cwd()}/ca.pem`,
    sentinelPassword: '0042',
  })
  for (const [name, value] of [
    ['PREFIX', 'a{b}'],
    ['PREFIX', ''],
    ['REPLICAS', '-1'],
    ['COMMAND_TIMEOUT_MS', '0'],
  ])
    t.throws(() => loadConfig(undefined, { [`PREAU_REDIS_${name}`]: value }), {
      code: 'PREAU_CONFIG_INVALID',
    })
})
