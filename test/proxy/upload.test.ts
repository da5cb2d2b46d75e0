/** An upload is bounded by its silence and its pace, not by how long it takes (chobits/ngx_http_proxy_connect_module#175). */
import t from 'tap'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const post = (port: number, fields: string): string =>
  `POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const every = (ms: number, write: () => void): void => {
  const timer = setInterval(write, ms)
  t.teardown(() => clearInterval(timer))
}

t.test('one that never pauses may last many times its limit', async t => {
  const origin = await openOrigin(t)
  const limits = { requestTimeoutMs: 400, requestBytesPerSecond: 10 }
  const world = await openProxyWorld(t, { limits })
  const socket = await world.open()
  socket.write(post(origin.port, 'Content-Length: 60\r\n'))
  let sent = 0
  every(25, () => void (sent++ < 60 && socket.write('x')))
  t.match(await readUntil(socket, 'hello /'), /^HTTP\/1\.1 200 /)
  t.equal(origin.requests[0]?.body.length, 60)
  t.strictSame(world.limited, [])
})

t.test('one that falls silent, or crawls, is answered 408', async t => {
  const origin = await openOrigin(t)
  for (const [limit, requestBytesPerSecond, pauseMs] of [
    ['requestTimeoutMs', 0, 60_000],
    ['requestBytesPerSecond', 1_000, 20],
  ] as const) {
    const world = await openProxyWorld(t, {
      limits: { requestTimeoutMs: 300, requestBytesPerSecond },
    })
    const socket = await world.open()
    socket.write(post(origin.port, 'Transfer-Encoding: chunked\r\n'))
    every(pauseMs, () => void (socket.destroyed || socket.write('1\r\nx\r\n')))
    t.match(await readUntil(socket), /^HTTP\/1\.1 408 [^]*\r\nConnection: close\r\n/)
    t.strictSame(world.limited, [limit])
    await eventually(() => world.log.length === 1)
    t.match(world.log, [{ method: 'POST', status: 408, reason: 'PREAU_REQUEST_TIMEOUT' }])
    socket.destroy()
  }
})

t.test('an origin that takes nothing is not the fault of the client', async t => {
  const body = Buffer.alloc(8_000_000, 'x')
  const port = await openRawOrigin(t, socket => {
    socket.pause()
    setTimeout(() => socket.resume(), 1_500)
    let bytes = 0
    socket.on('data', chunk => {
      bytes += chunk.length
      if (bytes > body.length) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    socket.pause()
  })
  const world = await openProxyWorld(t, { limits: { requestTimeoutMs: 300 } })
  const socket = await world.open()
  socket.write(post(port, `Content-Length: ${body.length}\r\n`))
  socket.write(body)
  t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /)
  t.strictSame(world.limited, [])
})

t.test('a body that goes on behind its answer is watched too', async t => {
  const world = await openProxyWorld(t, { limits: { requestTimeoutMs: 300 } })
  const socket = await world.open()
  socket.write(post(1_025, 'Content-Length: 9\r\n'))
  t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 502 /)
  socket.resume()
  await eventually(() => socket.closed || socket.readableEnded)
  t.ok(socket.closed || socket.readableEnded)
})
