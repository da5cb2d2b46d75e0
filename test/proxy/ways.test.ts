/** Which ways lead where, as the configuration says, and what it must not say. */
import t from 'tap'
import { configSchema, loadConfig } from '../../src/config.ts'
import { parseParent } from '../../src/config-parents.ts'
import { compileWays, urlOf } from '../../src/proxy/ways.ts'
import { host } from '../support/snapshot.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PROXIES = { north: 'http://north.example:3128', south: 'http://u:p@192.0.2.7' }

const waysTo = (name: string, routes: object[], fixed: string[] = []): string[] => {
  const { parents } = configSchema.parse({ parents: { proxies: PROXIES, routes } })
  return compileWays(parents, fixed)(host(name)).map(way => (way === 'direct' ? way : way.name))
}

t.test(
  'the first route that fits decides; where none does, or none is written, it is the direct way',
  t => {
    const routes = [
      { to: ['intranet.example', '192.0.2.0/24', '2001:db8::/32'], via: ['direct'] },
      { to: ['example'], via: ['south', 'direct'] },
      { to: ['*'], via: ['north', 'south'] },
    ]
    const expected: Record<string, string[]> = {
      'intranet.example': ['direct'],
      'a.b.intranet.example': ['direct'],
      'xintranet.example': ['south', 'direct'],
      '192.0.2.9': ['direct'],
      '198.51.100.1': ['north', 'south'],
      '2001:db8::1': ['direct'],
      'www.web.test': ['north', 'south'],
    }
    for (const [name, ways] of Object.entries(expected))
      t.strictSame(waysTo(name, routes), ways, name)
    t.strictSame(
      waysTo('www.web.test', routes.slice(0, 2).concat({ to: ['x.test'], via: ['north'] })),
      ['direct'],
    )
    t.strictSame(waysTo('www.web.test', routes, ['www.web.test']), ['direct'], 'dial.hosts')
    t.strictSame(compileWays(configSchema.parse({}).parents, [])(host('a.test')), ['direct'])
    t.end()
  },
)

t.test('the address of a parent is read once, its credentials as a person writes them', t => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const right: Record<string, object> = {
    'http://proxy.example:3128': { host: 'proxy.example', port: 3_128, authorization: null },
    'http://[2001:db8::1]:8080/': { host: '2001:db8::1', port: 8_080 },
    'http://proxy.example': { port: 80 },
    'http://ville:s%C3%A9cret%3A%40@p.example:1': { authorization: basic('ville:sécret:@') },
    'http://ville@p.example:1': { authorization: basic('ville:') },
  }
  for (const [text, parsed] of Object.entries(right)) {
    t.match(parseParent(text), parsed, text)
    const read = parseParent(text)
    if (read !== undefined) t.strictSame(parseParent(urlOf({ ...read })), read, `${text} again`)
  }
  for (const wrong of [
    'https://p.example:3128',
    'socks5://p.example:1080',
    'p.example:3128',
    'http://p.example:3128/path',
    'http://p.example:3128?x',
    'http://u:%zz@p.example:3128',
  ])
    t.equal(parseParent(wrong), undefined, wrong)
  t.end()
})

t.test('a configuration that cannot be meant is refused by name, and tells no password', t => {
  const dir = t.testdir()
  const refused = (parents: object): string => {
    const file = join(dir, 'config.json')
    writeFileSync(file, JSON.stringify({ parents }))
    try {
      loadConfig(file, {})
      return ''
    } catch (error) {
      return String(error)
    }
  }
  const north = { north: 'http://u:geheim@north.example:3128' }
  const all = [{ to: ['*'], via: ['north'] }]
  t.equal(refused({ proxies: north, routes: all }), '')
  const wrong: [object, RegExp][] = [
    [
      { proxies: { north: 'https://u:geheim@north.example' }, routes: all },
      /parents\.proxies\.north.*http:/,
    ],
    [{ proxies: north, routes: [{ to: ['*'], via: ['nord'] }] }, /parents\.routes\.0\.via.*north/],
    [{ proxies: north, routes: [] }, /parents\.proxies\.north.*no route/],
    [
      { proxies: north, routes: [{ to: ['http://x'], via: ['north'] }] },
      /parents\.routes\.0\.to.*sub-domains/,
    ],
    [{ proxies: { direct: north.north }, routes: all }, /parents\.proxies/],
    [
      {
        proxies: { ...north, south: north.north },
        routes: [{ to: ['*'], via: ['north', 'south'] }],
      },
      /each address once/,
    ],
    [{ proxies: north, routes: all, retryAfterMs: 0 }, /parents\.retryAfterMs/],
  ]
  for (const [parents, said] of wrong) {
    const text = refused(parents)
    t.match(text, said, JSON.stringify(parents))
    t.notMatch(text, /geheim/)
  }
  t.end()
})
