/** Line ends, escape sequences and text that turns around: no log, audit entry or terminal obeys what came from outside. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t from 'tap'
import { createTerminal } from '../../src/commands/terminal.ts'
import { CURRENT } from '../../src/policy/document.ts'
import type { PolicyDocument } from '../../src/policy/policy-document.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld, PASSWORD } from '../admin/world.ts'
import { runCli } from '../support/product.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'

const EVIL = 'a\r\n{"forged":1}\u001b[2J\u001b]0;x\u0007\u009b31m\u2028\u202e\u0000z'
/** Everything that a terminal could obey, but for the ends of our own lines. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

t.test(
  'what a pupil’s browser says of itself, and the path, are in no line of the log',
  async t => {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    const marks = 'forged \u2028\u202e\u009b31m'
    for (const host of ['free.test', 'games.test']) {
      await world.raw(
        `GET http://${host}:${origin.port}/forged?q=forged HTTP/1.1\r\nHost: a\r\nUser-Agent: ${marks}\r\nReferer: http://a/forged\r\nCookie: id=forged\r\nAuthorization: Basic forged\r\nProxy-Authorization: Basic forged\r\nConnection: close\r\n\r\n`,
      )
    }
    await world.raw(
      `GET http://a\u001b[31mforged/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    await world.raw(`CONNECT a\u2028forged:443 HTTP/1.1\r\nHost: a\r\n\r\n`)
    await world.raw(`FORGED\u001b http://free.test/ HTTP/1.1\r\nHost: a\r\n\r\n`)
    await world.raw(
      `GET http://forged:forged@free.test/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    await world.raw(
      `GET http://free.test/forged HTTP/1.1\r\nHost: a\r\nUser-Agent: forged\u001b[2J\r\n\r\n`,
    )
    t.ok(world.log.length >= 2, 'both are in the log')
    const lines = JSON.stringify(world.log)
    t.notMatch(lines, /forged/i)
    t.notMatch(lines, OBEYED)
    t.notMatch(lines, /\\u/)
  },
)

t.test('a name typed at the sign-in and a reason are one line each in the audit', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.browser('10.66.0.1').signIn(EVIL, PASSWORD)
  const claire = await world.as('Claire')
  const id = await world.ask()
  await claire.post(`/requests/${id}/refuse`, { reason: EVIL })
  await claire.post('/local', {
    host: 'regle.example',
    action: 'block',
    site: '',
    until: '',
    category: '',
    reason: EVIL,
  })
  const entries = (await world.store.tail({ limit: 20 })).filter(({ action }) =>
    ['session.refuse', 'request.refuse', 'rule.add'].includes(action),
  )
  t.equal(entries.length, 3)
  for (const entry of entries)
    t.notOk(
      Object.values({ ...entry, ...entry.detail }).some(
        value => typeof value === 'string' && OBEYED.test(value),
      ),
      entry.action,
    )
  for (const name of [EVIL, 'a\u001b[31m', 'a\u202eb', '\u200bclaire', 'a\nb']) {
    const answer = await claire.post('/users', { name, role: 'reader', password: PASSWORD })
    t.ok(answer.statusCode === 400 || !OBEYED.test(JSON.stringify(await world.store.list('user'))))
  }
})

t.test('a terminal is steered by our own styles only, whatever a command forgets', async t => {
  for (const isTTY of [true, false]) {
    let out = ''
    const output = new Writable({ write: (chunk, _, done) => done(void (out += String(chunk))) })
    const { print, printJson } = createTerminal(
      'fr',
      Object.assign(output, { isTTY }) as unknown as NodeJS.WriteStream,
    )
    print(`\u001b[31mrefusé\u001b[39m ${EVIL} \u001b[8mcaché\u001b[0m`)
    // oxlint-disable-next-line no-control-regex -- an escape sequence begins with a control character
    const own = out.replaceAll(/\u001b\[(?:31|39|0)m/g, '')
    t.notMatch(own, OBEYED)
    t.equal(out.includes('\u001b[31m'), isTTY)
    out = ''
    const value = { [EVIL]: [EVIL, { deep: EVIL }] }
    printJson(value)
    t.notMatch(out, OBEYED)
    t.strictSame(JSON.parse(out), value, 'scripts read what it was')
  }
})

t.test('the command line shows what it found, and obeys none of it', async t => {
  const dir = t.testdir({
    'config.json': '{}',
    'games.txt': `game.test\n${EVIL.replace('\r\n', '')}\nb b\u001b[31m\n`,
  })
  const config = join(dir, 'config.json')
  const file = join(dir, 'policy.json')
  t.equal((await runCli(config, ['policy', 'export', file])).code, 0)
  const policy = JSON.parse(readFileSync(file, 'utf8')) as PolicyDocument
  const [site] = policy.sites
  if (site === undefined) throw new TypeError('no site')
  const evil: PolicyDocument = {
    ...policy,
    city: { ...policy.city, name: EVIL },
    sites: [
      {
        ...site,
        name: EVIL,
        rooms: site.rooms.map(room => ({ ...room, name: `${EVIL}${room.name}` })),
      },
    ],
  }
  writeFileSync(join(dir, 'evil.json'), JSON.stringify(evil))
  const refused = await runCli(config, ['policy', 'import', join(dir, 'evil.json')])
  t.equal(refused.code, 2)
  t.match(refused.stderr, /city\.name/)
  // One that an older version let in.
  const store = await openSqliteStore(join(dir, 'data', 'preau.db'))
  await store.commit({ by: EVIL, action: EVIL, at: 0 }, [
    { kind: 'policy', id: CURRENT, body: evil },
  ])
  await store.close()
  const runs = [
    ['policy', 'import', file, '--dry-run'],
    ['policy', 'export'],
    ['check', 'jeux.example'],
    ['check', 'jeux.example', '--json'],
    ['lists', 'import', join(dir, 'games.txt'), '--category', 'games'],
    ['check', EVIL.replaceAll('\u0000', '')],
  ]
  for (const args of runs) {
    const { stdout, stderr } = await runCli(config, args)
    const name = args
      .slice(0, 2)
      .join(' ')
      .replaceAll(/[^ -~]/g, '?')
    t.notMatch(stdout, OBEYED, name)
    t.notMatch(stderr, OBEYED, name)
    t.ok(stdout.length + stderr.length > 20, name)
  }
  t.ok(readdirSync(join(dir, 'data')).length > 0)
})
