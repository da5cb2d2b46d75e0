/** One request in, one request out: no body is ever read as a second request (CVE-2026-29057, http-garden's payloads). */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { eventually, openOrigin, openProxyWorld } from '../support/proxy-world.ts'

const HIDDEN = 'GET http://games.test/hidden HTTP/1.1\r\nHost: games.test\r\n\r\n'
const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

/** An origin that keeps all that reached it, byte for byte, and answers each connection once. */
async function openRecorder(
  t: Test,
): Promise<{ port: number; received: () => string; connections: () => number }> {
  let received = ''
  let connections = 0
  const server = createServer(socket => {
    connections++
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
      if (/\r\n\r\n(?:[\s\S]*0\r\n\r\n)?$/.test(received))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    connections: () => connections,
  }
}

t.test('the body of a chunked DELETE or OPTIONS stays a body', async t => {
  for (const method of ['DELETE', 'OPTIONS', 'GET', 'POST', 'PATCH']) {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    await world.raw(
      `${method} http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(HIDDEN)}`,
    )
    t.equal(origin.requests.length, 1, method)
    t.equal(origin.requests[0]?.body, HIDDEN, method)
  }
})

t.test('a connection to an origin that carried a chunked request carries no other', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const head = `http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\nConnection: close\r\n`
  await world.raw(`DELETE ${head}Transfer-Encoding: chunked\r\n\r\n${chunked('x')}`)
  await world.raw(`GET ${head}\r\n`)
  t.equal(origin.connections(), 2)
  t.match(origin.received(), /^DELETE \/ HTTP\/1\.1\r\n[\s\S]*connection: close/i)
})

t.test('pipelined requests are judged one by one and answered in order', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const get = (name: string, more = '') =>
    `GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: ${name}\r\n${more}\r\n`
  const close = 'Connection: close\r\n'
  t.match(
    await world.raw(get('free.test') + get('games.test', close)),
    /^HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 403/,
  )
  t.match(
    await world.raw(get('games.test') + get('free.test', close)),
    /^HTTP\/1\.1 403[\s\S]*HTTP\/1\.1 200/,
  )
  t.ok(origin.requests.every(({ headers }) => headers.host?.startsWith('free.test')))
})

// Found by `npm run fuzz -- --target proxy`: those that waited were never closed, and never logged.
t.test('requests that wait before a tunnel on the same connection end with it', async t => {
  const origin = await openOrigin(t, () => undefined)
  const world = await openProxyWorld(t)
  const get = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n`
  const tunnels = [
    `${get}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    `CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: free.test\r\n\r\n`,
  ]
  for (const tunnel of tunnels) {
    await world.raw(`${get}\r\n`.repeat(3) + tunnel)
    await eventually(() => world.log.length === 4)
    t.equal(world.log.length, 4, 'each has its line in the log')
    t.equal(world.proxy.openExchanges, 0)
    world.log.length = 0
  }
})
