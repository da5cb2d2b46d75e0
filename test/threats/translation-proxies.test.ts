/** Case 54 of the catalogue: a refused site, read through a translator, a cache or an archive. */
import t from 'tap'
import type { Grant } from '../../src/policy/grant.ts'
import { decide, type Verdict } from '../../src/policy/verdict.ts'
import { hello, serverName } from '../support/hello.ts'
import { eventually, openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { aPolicy, aSnapshot, host, type SnapshotChange } from '../support/snapshot.ts'

const NOW = Date.parse('2026-03-02T09:00:00Z')

const grantFor = (name: string): Grant => ({
  id: name,
  host: host(name),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'dsi',
  at: 0,
  until: null,
})

/** What a pupil gets, over plain HTTP where a path is given. */
function verdictOn(name: string, change: SnapshotChange = {}, path?: string): Verdict {
  const snapshot = aSnapshot(change)
  const target = { host: host(name), port: 443, ...(path === undefined ? {} : { path }) }
  return decide(snapshot, snapshot.networks(host('10.1.2.3')), target, NOW)
}

t.test('a refused site stays refused under the name of a translator or a cache', async t => {
  for (const name of [
    'games-test.translate.goog',
    'www-games-test.translate.goog',
    '0-games-test.translate.goog',
    'games-test.cdn.ampproject.org',
    'games-test.bing-amp.com',
    // A translator in a translator.
    'games--test-translate-goog.translate.goog',
  ])
    t.match(
      verdictOn(name),
      { action: 'block', reason: 'blocked-category', category: 'games' },
      name,
    )
  t.match(verdictOn('news-test.translate.goog'), { action: 'allow' }, 'an allowed one passes')
  t.match(verdictOn('10-0-0-1.translate.goog'), { reason: 'non-public-address' })
})

t.test('the city’s own rule for a site holds under the name of a translator, too', async t => {
  const policy = aPolicy({ rules: [{ host: host('free.test'), action: 'block' }] })
  t.match(verdictOn('free-test.translate.goog', { policy }), { reason: 'local-block' })
})

t.test('who opens a translator does not open what it shows; who opens that name does', async t => {
  const whole = { grants: [grantFor('translate.goog')] }
  t.match(verdictOn('free-test.translate.goog', whole), { action: 'allow', reason: 'grant' })
  t.match(verdictOn('games-test.translate.goog', whole), { action: 'block' })
  const one = { grants: [grantFor('games-test.translate.goog')] }
  t.match(verdictOn('games-test.translate.goog', one), { action: 'allow', reason: 'grant' })
  const adult = { grants: [grantFor('adult-test.translate.goog')] }
  t.match(verdictOn('adult-test.translate.goog', adult), { reason: 'never-grantable' })
})

t.test('a warning may be passed under that name as under the site’s own', async t => {
  const name = 'shop-test.translate.goog'
  t.match(verdictOn(name), { action: 'warn', category: 'shopping' })
  const read: Grant = { ...grantFor(name), origin: 'acknowledged', by: 'pc:10.1.2.3' }
  t.match(verdictOn(name, { grants: [read] }), { action: 'allow' })
  const other: Grant = { ...read, categories: ['press'] }
  t.match(verdictOn(name, { grants: [other] }), { action: 'warn' }, 'another warning was read')
  t.match(verdictOn('web.archive.org', {}, '/web/1/http://shop.test/'), { action: 'allow' })
})

t.test('over plain HTTP the address in the path of an archive is judged', async t => {
  const archive = 'web.archive.org'
  t.match(verdictOn(archive, {}, '/web/2020/http://games.test/'), {
    action: 'block',
    category: 'games',
    // It would open the whole archive.
    requestable: false,
  })
  t.match(verdictOn(archive, {}, '/web/2020/http://news.test/'), { action: 'allow' })
  const deep = (times: number, name: string): string =>
    `${'/web/1/http://web.archive.org'.repeat(times)}/web/1/http://${name}/`
  t.match(verdictOn(archive, {}, deep(2, 'games.test')), { action: 'block', category: 'games' })
  t.match(verdictOn(archive, {}, deep(2, 'news.test')), { action: 'allow' })
  // The last is as long as an address may be: looking through all of it took milliseconds.
  for (const times of [5, 50, 550]) {
    for (const name of ['games.test', 'news.test'])
      t.match(verdictOn(archive, {}, deep(times, name)), {
        action: 'block',
        category: 'redirector',
        listed: 'page',
        requestable: false,
      })
  }
  const snapshot = aSnapshot()
  const client = snapshot.networks(host('10.1.2.3'))
  const costOf = (times: number): string => {
    const target = { host: host(archive), port: 80, path: deep(times, 'news.test') }
    for (let i = 0; i < 1_000; i++) decide(snapshot, client, target, NOW)
    const from = process.cpuUsage()
    for (let i = 0; i < 1_000; i++) decide(snapshot, client, target, NOW)
    return (process.cpuUsage(from).user / 1_000).toFixed(1)
  }
  t.comment(
    `measured: ${costOf(1)} µs a verdict wrapped twice, ${costOf(550)} µs wrapped 551 times`,
  )
})

t.test('neither in clear, nor in a tunnel, nor as the name inside a tunnel', async t => {
  const name = 'games-test.translate.goog'
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { names: ['free.test', name] })
  const tail = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  t.match(await world.raw(`GET http://${name}:${origin.port}/ ${tail}`), /^HTTP\/1\.1 403/)
  await world.raw(`CONNECT ${name}:${origin.port} ${tail}GET / ${tail}`)
  const clientHello = hello({ extensions: [serverName(name)] })
  const connect = Buffer.from(`CONNECT free.test:${origin.port} ${tail}`)
  await world.raw(Buffer.concat([connect, clientHello]))
  await eventually(() => world.log.length === 3)
  for (const entry of world.log) t.match(entry, { verdict: 'block', category: 'games' })
  t.equal(origin.requests.length, 0)
})
