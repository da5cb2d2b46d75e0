/** A limit that a client runs into is told under its own key, so that a DSI knows which one to raise. */
import t from 'tap'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

const GET = 'GET http://free.test/ HTTP/1.1\r\nHost: a\r\n'

t.test('a head that is too large', async t => {
  const world = await openProxyWorld(t, { limits: { maxHeaderBytes: 4_096 } })
  const answer = await world.raw(`${GET}X: ${'x'.repeat(5_000)}\r\n\r\n`)
  t.match(answer, /^HTTP\/1\.1 431 /)
  t.strictSame(world.limited, ['maxHeaderBytes'])
})

t.test('a head that does not come in time, and a body that does not', async t => {
  const origin = await openOrigin(t)
  const limits = { headTimeoutMs: 100, requestTimeoutMs: 300 }
  const world = await openProxyWorld(t, { limits })
  t.match(await world.raw(GET), /^HTTP\/1\.1 408 /)
  t.strictSame(world.limited, ['headTimeoutMs'])
  await world.raw(
    `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf`,
  )
  t.strictSame(world.limited, ['headTimeoutMs', 'requestTimeoutMs'])
})

t.test('a tunnel on which nothing moves, and a handshake that does not come', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: 100 } })
  await world.raw(`CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.strictSame(world.limited, ['tunnelIdleTimeoutMs'])
  const other = await openProxyWorld(t, { limits: { helloTimeoutMs: 100 } })
  await other.raw('CONNECT games.test:8443 HTTP/1.1\r\nHost: a\r\n\r\n')
  t.strictSame(other.limited, ['helloTimeoutMs'])
})

t.test('who keeps within the limits is counted nowhere', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const url = `http://free.test:${origin.port}/`
  t.match(await world.raw(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`), / 200 /)
  const socket = await world.open()
  socket.write(`CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  socket.destroy()
  await eventually(() => world.log.length === 2)
  t.strictSame(world.limited, [])
})
