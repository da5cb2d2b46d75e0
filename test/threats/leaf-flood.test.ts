/** Case 77 of the catalogue: a client that makes us sign certificates for sub-domains without end. */
import t from 'tap'
import { once } from 'node:events'
import { connect as tlsConnect } from 'node:tls'
import { openOrigin, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'

/** The status of the page of a refused site, or undefined where the door was shut. */
async function pageOf(world: ProxyWorld, name: string): Promise<string | undefined> {
  const socket = await world.open()
  socket.write(`CONNECT ${name}:8443 HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  const secure = tlsConnect({ socket, servername: name, ca: world.caPem })
  try {
    await once(secure, 'secureConnect')
  } catch {
    return undefined
  }
  secure.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return /\d{3}/.exec(await readUntil(secure))?.[0]
}

t.test('beyond the pace of new certificates a refused site stays shut, without a page', async t => {
  const origin = await openOrigin(t)
  const pace = 20
  const limits = { leafCertificatesPerMinute: pace }
  // The clock stands still: no certificate is earned back.
  const now = Date.now()
  const world = await openProxyWorld(t, { limits, clock: () => now })
  t.equal(await pageOf(world, 'www.games.test'), '403')
  const flood = Array.from({ length: 150 }, (_, i) => pageOf(world, `x${i}.games.test`))
  const pages = await Promise.all(flood)
  t.equal(pages.filter(page => page === '403').length, pace - 1)
  t.equal(pages.filter(page => page === undefined).length, 150 - (pace - 1))
  t.equal(await pageOf(world, 'www.games.test'), '403', 'a site seen before still shows its page')
  const get = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(get), /^HTTP\/1\.1 200/, 'and what is allowed is served')
  t.equal(world.log.filter(entry => entry.verdict === 'allow').length, 1)
})
