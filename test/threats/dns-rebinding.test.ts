/** Cases 67 and 68 of the catalogue: a DNS that says one thing to the judge and another to the dialler. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { openDns, type DnsTable } from '../support/dns-server.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'

// 127.0.0.2 stands for the outside: it is permitted, and its neighbour 127.0.0.1 is not.
const OUTER = '127.0.0.2'
const INNER = '127.0.0.1'
const dialAllow = [`${OUTER}/32`]
const tail = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** An inner server and an outer one on the same port; each counts who came. */
async function openBoth(t: Test) {
  const inner = await openOrigin(t, (_request, response) => response.end('inner'))
  let came = 0
  inner.server.on('connection', () => came++)
  const outer = createServer(socket =>
    socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nouter'),
  ).listen(inner.port, OUTER)
  await once(outer, 'listening')
  t.teardown(() => outer.close())
  return { port: (outer.address() as AddressInfo).port, came: () => came }
}

t.test('of several addresses only the outer ones are dialled', async t => {
  const { port, came } = await openBoth(t)
  const table: DnsTable = { 'in.test': [INNER], 'mixed.test': [INNER, OUTER, '10.0.0.1'] }
  const { server } = await openDns(t, table)
  const world = await openProxyWorld(t, { dialAllow, dnsServers: [server] })
  t.match(await world.raw(`GET http://in.test:${port}/ ${tail}`), /^HTTP\/1\.1 403/)
  t.match(await world.raw(`CONNECT in.test:${port} ${tail}`), /^HTTP\/1\.1 403/)
  t.match(await world.raw(`GET http://mixed.test:${port}/ ${tail}`), /outer$/)
  t.match(await world.raw(`CONNECT mixed.test:${port} ${tail}GET / ${tail}`), /outer$/)
  t.equal(came(), 0, 'nobody came in')
})

t.test('a name that turns inwards between two requests is refused at the second', async t => {
  const { port, came } = await openBoth(t)
  const table: Record<string, string[]> = { 'rebind.test': [OUTER] }
  const { server, asked } = await openDns(t, table)
  const world = await openProxyWorld(t, { dialAllow, dnsServers: [server], dnsTtlMs: 1 })
  const request = `GET http://rebind.test:${port}/ ${tail}`
  t.match(await world.raw(request), /outer$/)
  t.equal(asked.length, 1, 'asked once for one request: nothing lies between judging and dialling')
  table['rebind.test'] = [INNER]
  // Until the answer that was kept has run out.
  let answer = ''
  for (let i = 0; i < 50 && !answer.includes(' 403 '); i++) answer = await world.raw(request)
  t.match(answer, /^HTTP\/1\.1 403/)
  t.match(await world.raw(`CONNECT rebind.test:${port} ${tail}`), /^HTTP\/1\.1 403/)
  t.equal(came(), 0)
})

t.test('and a kept answer is not asked for again while it is kept', async t => {
  const { port, came } = await openBoth(t)
  const table: Record<string, string[]> = { 'rebind.test': [OUTER] }
  const { server } = await openDns(t, table)
  const world = await openProxyWorld(t, { dialAllow, dnsServers: [server], dnsTtlMs: 60_000 })
  const request = `GET http://rebind.test:${port}/ ${tail}`
  t.match(await world.raw(request), /outer$/)
  table['rebind.test'] = [INNER]
  t.match(await world.raw(request), /outer$/)
  t.equal(came(), 0)
})
