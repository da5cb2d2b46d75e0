/** JSON and form fields named like the inside of JavaScript, too deep or too many: refused, without cost or effect. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { loadConfig } from '../../src/config.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { parsePolicy } from '../../src/policy/policy-document.ts'
import { openWorld } from '../admin/world.ts'
import { runCli } from '../support/product.ts'

const catalogue = loadCatalogue()
const GOOD = JSON.stringify(DEFAULT_POLICY)
/** Puts members before those of the document, of its city and of its first profile. */
const withMember = (member: string): string[] => [
  GOOD.replace('{', `{${member},`),
  GOOD.replace('"city":{', `"city":{${member},`),
  GOOD.replace('"profiles":[{', `"profiles":[{${member},`),
]
const PAIRS = Array.from({ length: 10_000 }, (_, i) => `"k${i}":1`).join(',')
// One bucket of V8's table for integer-like keys (CVE-2026-21717), if its seed were known.
const INTEGERS = Array.from({ length: 10_000 }, (_, i) => `"${i * 65_536}":1`).join(',')
const DEEP = '['.repeat(10_000) + ']'.repeat(10_000)

t.test('a policy with odd members is refused, and names them', async t => {
  const members = [
    '"__proto__":{"polluted":true}',
    '"__proto__":null',
    '"constructor":{"prototype":{"polluted":true}}',
    '"prototype":{}',
    '"toString":1',
    '"hasOwnProperty":1',
    PAIRS,
    INTEGERS,
    `"deep":${DEEP}`,
  ]
  const start = process.cpuUsage()
  for (const member of members) {
    for (const text of withMember(member)) {
      const error = { code: 'PREAU_POLICY_INVALID' }
      t.throws(() => parsePolicy(JSON.parse(text), catalogue), error, member.slice(0, 40))
    }
  }
  t.ok(process.cpuUsage(start).user < 2_000_000, 'at no cost to speak of')
  t.equal(Reflect.get({}, 'polluted'), undefined)
  t.doesNotThrow(() => parsePolicy(JSON.parse(GOOD), catalogue))
  for (const text of [DEEP, '[]', 'null', '1', '"x"', '{}', '{"version":{"valueOf":1}}'])
    t.throws(() => parsePolicy(JSON.parse(text), catalogue), { code: 'PREAU_POLICY_INVALID' })
})

t.test('the configuration is as strict', async t => {
  const dir = t.testdir()
  const file = join(dir, 'config.json')
  for (const text of [
    '{"__proto__":{"workers":9}}',
    '{"limits":{"__proto__":{"loginAttempts":0}}}',
    '{"constructor":{}}',
    `{"limits":${DEEP}}`,
    DEEP,
    'null',
  ]) {
    writeFileSync(file, text)
    t.throws(() => loadConfig(file, {}), { code: 'PREAU_CONFIG_INVALID' }, text.slice(0, 40))
  }
})

t.test('the command line tells it in one line, and changes nothing', async t => {
  const dir = t.testdir({ 'config.json': '{}' })
  const config = join(dir, 'config.json')
  const [text = ''] = withMember('"__proto__":{"polluted":true}')
  for (const [name, content] of [
    ['proto.json', text],
    ['deep.json', '['.repeat(1_000_000)],
  ] as const) {
    writeFileSync(join(dir, name), content)
    const { code, stdout, stderr } = await runCli(config, ['policy', 'import', join(dir, name)])
    t.equal(code, 2, name)
    t.equal(stdout, '')
    t.equal(stderr.trimEnd().split('\n').length, 1)
    t.ok(stderr.length < 500)
  }
})

t.test(
  'form and query fields named like the inside of JavaScript are fields like others',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const id = await world.ask()
    const names = [
      '__proto__',
      '__proto__[scope]',
      'constructor[prototype][scope]',
      'toString',
      'scope[]',
    ]
    for (const name of names) {
      const answer = await claire.post(`/requests/${id}/approve`, {
        [name]: 'city',
        duration: 'hour',
      })
      t.equal(answer.statusCode, 400, name)
    }
    for (const value of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      for (const form of [
        { scope: value, duration: 'hour' },
        { scope: 'pc', duration: value },
      ])
        t.equal((await claire.post(`/requests/${id}/approve`, form)).statusCode, 400, value)
      t.equal((await claire.get(`/requests/${value}`)).statusCode, 404, value)
      for (const path of ['/users', '/lists', '/lists/sources'])
        t.equal((await claire.get(`${path}?done=${value}&__proto__=x&done[x]=y`)).statusCode, 200)
      const user = await claire.post(`/users/${value}/role`, { role: 'dsi' })
      t.equal(user.statusCode, 404, value)
    }
    t.equal(Reflect.get({}, 'scope'), undefined)
    t.equal(await world.store.count('grant'), 0)
  },
)
