/** Whether an origin will take a body is for the origin to say, and a body that it refused is never read as a request. */
import t from 'tap'
import { once } from 'node:events'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { OK, openRecordingOrigin, sendAll } from '../support/recording-origin.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const HIDDEN = 'GET http://free.test/hidden HTTP/1.1\r\nHost: a\r\n\r\n'
const expecting = (port: number, more = ''): string =>
  `POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${more}`

t.test('the origin’s 100 reaches the client, and only then the body goes up', async t => {
  let heard = ''
  const port = await openRawOrigin(t, socket => {
    socket.on('data', chunk => {
      heard += chunk.toString()
      if (heard.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      if (heard.endsWith('hello')) socket.write(OK)
    })
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  for (let i = 0; i < 2; i++) {
    heard = ''
    socket.write(expecting(port, 'Content-Length: 5\r\n\r\n'))
    t.equal(await readUntil(socket, '\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
    t.match(heard, /\r\nexpect: 100-continue\r\n/i)
    t.notMatch(heard, /hello/)
    socket.write('hello')
    t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /, 'and the connection goes on')
    t.match(heard, /\r\n\r\nhello$/)
  }
})

t.test(
  'nobody says 100 in the place of a silent origin; a body that comes all the same passes',
  async t => {
    const origin = await openRecordingOrigin(t)
    const world = await openProxyWorld(t)
    const socket = await world.open()
    socket.write(expecting(origin.port, 'Transfer-Encoding: chunked\r\n\r\n'))
    await eventually(() => origin.connections.some(({ bytes }) => bytes.endsWith('\r\n\r\n')))
    t.equal(socket.bytesRead, 0)
    socket.write('5\r\nhello\r\n0\r\n\r\n')
    t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /)
    t.match(origin.requests, [{ body: 'hello' }])
    t.strictSame(origin.faults, [])
  },
)

t.test(
  'a refusal at once reaches the client; what follows is neither sent on nor read as a request',
  async t => {
    for (const status of [417, 413, 401, 200]) {
      let heard = ''
      let isClosed = false
      const port = await openRawOrigin(t, socket => {
        socket.on('data', chunk => {
          heard += chunk.toString()
          if (heard.endsWith('\r\n\r\n'))
            socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`)
        })
        socket.on('close', () => (isClosed = true))
        socket.on('end', () => socket.destroy())
      })
      const world = await openProxyWorld(t)
      const socket = await world.open()
      socket.write(expecting(port, `Content-Length: ${HIDDEN.length}\r\n\r\n`))
      const closed = once(socket, 'close')
      const answer = await readUntil(socket)
      t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*no$`))
      // After a 417 a client asks again without `Expect`, and curl does so only where it is not told of an end.
      t.equal(/\r\nConnection: close\r\n/i.test(answer), status !== 417, `${status}`)
      socket.end(HIDDEN)
      await closed
      t.notMatch(heard, /hidden/, `${status}: the body stays with the client`)
      t.equal(world.log.length, 1, 'one exchange, not two')
      t.ok(isClosed, 'the origin waits for no body any more')
    }
  },
)

t.test('a refused site says so at once, and the connection ends', async t => {
  const world = await openProxyWorld(t)
  const answer = await world.raw(
    `POST http://games.test/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
  )
  t.match(answer, /^HTTP\/1\.1 403 [^]*\r\nConnection: close\r\n[^]*refused page/)
})

t.test('an origin that cannot be reached says so at once, without a body', async t => {
  const world = await openProxyWorld(t)
  const answer = await world.raw(expecting(1_025, 'Content-Length: 9\r\n\r\n'))
  t.match(answer, /^HTTP\/1\.1 502 [^]*\r\nConnection: close\r\n/)
})

t.test('what else is expected is refused with 417', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  for (const expected of ['200-ok', '100-continue, more', '100-continued', '']) {
    const answer = await sendAll(
      world,
      `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nExpect: ${expected}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
    )
    t.match(answer, /^HTTP\/1\.1 417 [^]*Expect/, expected)
  }
  t.strictSame(origin.requests, [])
  t.match(world.log, [{ reason: 'PREAU_EXPECTATION_FAILED', status: 417 }])
})

t.test('HTTP/1.0 knows no such question, and without a body there is nothing to ask', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  const old = `POST http://free.test:${origin.port}/ HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok`
  t.match(await sendAll(world, old), /^HTTP\/1\.1 200 /)
  const bare = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n`
  t.match(await sendAll(world, bare), /^HTTP\/1\.1 200 /)
  t.notOk(origin.requests.some(({ fields }) => new Map(fields).has('expect')))
})
