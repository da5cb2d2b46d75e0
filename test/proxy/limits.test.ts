/** Bounds of the configuration that no attack of `test/threats/` is about: each is in force, and says so. */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

t.test('a tunnel ends after its whole time, busy as it may be', async t => {
  const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  t.teardown(() => echo.close())
  const { port } = echo.address() as AddressInfo
  const world = await openProxyWorld(t, { limits: { tunnelTimeoutMs: 300 } })
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  const chatter = setInterval(() => socket.write('and on and on '), 20)
  t.teardown(() => clearInterval(chatter))
  const startedAt = performance.now()
  socket.resume()
  await eventually(() => socket.closed || socket.readableEnded)
  t.ok(socket.closed || socket.readableEnded)
  t.ok(performance.now() - startedAt > 100, 'not before')
  await eventually(() => world.log.length === 1)
  t.strictSame(world.limited, ['tunnelTimeoutMs'])
})

t.test('a head has a bounded size, of a CONNECT and of any other request', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { maxHeaderBytes: 1_000 } })
  const { port } = origin
  const site = `free.test:${port}`
  const heads = [`CONNECT ${site} HTTP/1.1`, `GET http://${site}/ HTTP/1.1`]
  for (const line of heads) {
    const close = line.startsWith('GET') ? 'Connection: close\r\n' : ''
    const small = `${line}\r\nHost: a\r\n${close}X: ${'x'.repeat(700)}\r\n\r\n`
    t.match(await world.raw(small, '\r\n\r\n'), /^HTTP\/1\.1 200/, line)
    const large = `${line}\r\nHost: a\r\n${close}X: ${'x'.repeat(1_000)}\r\n\r\n`
    t.match(await world.raw(large), /^HTTP\/1\.1 431/, line)
  }
  t.equal(origin.requests.length, 1)
})

t.test('a kept connection on which nothing more is asked is closed in time', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { keepAliveTimeoutMs: 200 } })
  const socket = await world.open()
  socket.write(`GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.match(await readUntil(socket, 'hello /'), /^HTTP\/1\.1 200/)
  socket.resume()
  await eventually(() => socket.closed || socket.readableEnded)
  t.ok(socket.closed || socket.readableEnded)
})
