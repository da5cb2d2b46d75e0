/** Cases 31 to 41 of the catalogue: a refused site, spelled in another way. GET, CONNECT and ClientHello read alike. */
import t from 'tap'
import * as fc from 'fast-check'
import { parseAbsoluteForm, parseAuthority, suffixes, type Target } from '../../src/policy/host.ts'
import { decide } from '../../src/policy/verdict.ts'
import { readClientHello } from '../../src/proxy/client-hello.ts'
import { hello, serverName } from '../support/hello.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { aSnapshot, host } from '../support/snapshot.ts'

const fullWidth = (text: string): string =>
  text.replace(/[a-z0-9]/g, c => String.fromCodePoint((c.codePointAt(0) ?? 0) + 0xfee0))
const percent = (text: string): string =>
  text.replace(/[a-z]/, c => `%${(c.codePointAt(0) ?? 0).toString(16)}`)

/** Ways to write a name, each of which some program takes for the name itself. */
const SPELLINGS: Record<string, (name: string) => string> = {
  plain: name => name,
  'upper case': name => name.toUpperCase(),
  'mixed case': name => name.replace(/[a-z]/g, (c, at: number) => (at % 2 ? c : c.toUpperCase())),
  'a trailing dot': name => `${name}.`,
  'a trailing dot and upper case': name => `${name.toUpperCase()}.`,
  'two trailing dots': name => `${name}..`,
  'a leading dot': name => `.${name}`,
  'a sub-domain': name => `www.${name}`,
  'a percent-encoded letter': percent,
  'a percent-encoded dot': name => name.replace('.', '%2E'),
  'an ideographic full stop': name => name.replace('.', '\u3002'),
  'full-width letters': fullWidth,
  'a soft hyphen': name => `${name.slice(0, 1)}\u00ad${name.slice(1)}`,
  'a zero-width space': name => `${name.slice(0, 1)}\u200b${name.slice(1)}`,
  'a long s': name => name.replace(/s|$/, 'ſ'),
  brackets: name => `[${name}]`,
  'two brackets': name => `[[${name}]]`,
  'user information': name => `free.test@${name}`,
  'user information with a port': name => `free.test:80@${name}`,
  'two at signs': name => `a@free.test@${name}`,
  'a backslash': name => `free.test\\@${name}`,
  'a NUL': name => `${name}\0`,
  'a NUL and an innocent end': name => `${name}\0.free.test`,
  'a space': name => `${name} `,
  'a tab': name => `\t${name}`,
  'a line break': name => `${name}\r\n`,
  'a port twice': name => `${name}:443`,
}

/** As they come: the bytes of UTF-8, each read as one character. */
const onTheWire = (text: string): string => Buffer.from(text).toString('latin1')

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/)
const names = fc.tuple(label, label, label).map(labels => `${labels[0]}.${labels[1]}.x${labels[2]}`)

t.test('however a refused name is spelled, it is refused, on all three ways alike', async t => {
  fc.assert(
    fc.property(names, fc.constantFrom(...Object.entries(SPELLINGS)), (name, [title, spell]) => {
      const snapshot = aSnapshot({
        categories: asked => ([...suffixes(asked)].includes(host(name)) ? ['games'] : []),
      })
      const client = snapshot.networks(host('10.1.2.3'))
      const outcome = (target: Target | undefined): string =>
        target === undefined ? '400' : decide(snapshot, client, target, 0).action
      const text = onTheWire(spell(name))
      const heard = readClientHello(hello({ extensions: [serverName(text)] }))
      const asked = heard.kind === 'hello' ? heard.name : undefined
      const outcomes = [
        outcome(parseAuthority(`${text}:443`)),
        outcome(asked && { host: asked, port: 443 }),
      ]
      // In an absolute form, a port more is its port.
      if (title !== 'a port twice')
        outcomes.push(outcome(parseAbsoluteForm(`http://${text}/`)?.target))
      if (new Set(outcomes).size > 1 || outcomes.includes('allow')) return false
      return true
    }),
    { numRuns: 10_000 },
  )
  t.pass()
})

t.test('nothing of it reaches the site through a real proxy', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const send = async (line: string): Promise<string> => {
    const socket = await world.open()
    socket.end(`${line} HTTP/1.1\r\nHost: free.test\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return answer
  }
  for (const [title, spell] of Object.entries(SPELLINGS)) {
    const name = spell('games.test')
    t.match(await send(`GET http://${name}:${origin.port}/`), /^HTTP\/1\.1 40[03] /, title)
    // The tunnel of a refused name is ours, not the site's: it waits for a TLS that does not come.
    t.match(await send(`CONNECT ${name}:${origin.port}`), /^HTTP\/1\.1 (?:200|400) /, title)
  }
  t.notOk(world.log.some(entry => entry.verdict === 'allow'))
  t.equal(origin.requests.length, 0)
})

t.test('other shapes of an address are read as what they are, or refused', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const { port } = origin
  for (const target of [
    `http://free.test#@games.test:${port}/`,
    `http:/games.test:${port}/`,
    `http:games.test:${port}/`,
    `http:///games.test:${port}/`,
    `//games.test:${port}/`,
    `games.test:${port}/`,
    `http://games.test:${port}`.replace('://', ':\\\\'),
    `http://free.test/ http://games.test:${port}/`,
  ]) {
    const request = `GET ${target} HTTP/1.1\r\nHost: free.test\r\nConnection: close\r\n\r\n`
    t.match(await world.raw(request), /^HTTP\/1\.1 400 /, target)
  }
  t.equal(origin.requests.length, 0)
  // What stands behind the name is a query: the request goes to the innocent site.
  const query = `http://free.test:${port}?@games.test/`
  const request = `GET ${query} HTTP/1.1\r\nHost: games.test\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(request), /^HTTP\/1\.1 200 /)
  t.match(origin.requests, [{ url: '/?@games.test/', headers: { host: `free.test:${port}` } }])
})

t.test('a name that only looks alike has its own verdict', async t => {
  const origin = await openOrigin(t)
  const names = ['xgames.test', 'games.test.free.test', 'xn--gmes-63d.test', 'free.test']
  const world = await openProxyWorld(t, { names })
  for (const name of names) {
    const request = `GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
    t.match(await world.raw(request), /^HTTP\/1\.1 200 /, name)
  }
})

t.test('a name in other letters is one name, listed in Unicode or in A-labels', async t => {
  const listed = host('xn--bcher-kva.test')
  const world = await openProxyWorld(t, {
    names: [listed],
    categories: asked => (asked === listed ? ['games'] : []),
  })
  const get = (name: string) =>
    world.raw(`GET http://${name}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  t.match(await get('XN--Bcher-KVA.test'), /^HTTP\/1\.1 403 /)
  t.match(await get('bücher.test'), /^HTTP\/1\.1 400 /, 'browsers send A-labels: this is no name')
})
