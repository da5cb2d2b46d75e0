/** Trailers are dropped both ways: none is ever taken for a field of the head (RFC 9110 §6.5.1). */
import t from 'tap'
import { openProxyWorld } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const TRAILERS =
  'Host: games.test\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\nAuthorization: Basic eA==\r\nSet-Cookie: trailer=1\r\nX-Trailer: 1\r\n'

t.test('the trailers of a request stay here', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  const post = (trailers: string): Promise<string> =>
    sendAll(
      world,
      `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTrailer: X-Trailer, Host\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`,
    )
  t.match(await post('Authorization: Basic eA==\r\nX-Trailer: 1\r\n'), /^HTTP\/1\.1 200 /)
  // A framing at the end is refused or dropped like the others.
  await post(TRAILERS)
  t.strictSame(origin.faults, [])
  t.ok(origin.requests.length > 0)
  for (const { fields, body } of origin.requests) {
    t.equal(body, 'hello')
    t.strictSame(fields.map(([name]) => name).toSorted(), [
      'connection',
      'host',
      'transfer-encoding',
      'via',
    ])
    t.equal(new Map(fields).get('host'), `free.test:${origin.port}`)
  }
})

t.test('the trailers of an answer stay here, and its body is whole', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', () =>
      socket.write(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\nSet-Cookie: trailer=1\r\n\r\n`,
      ),
    ),
  )
  const world = await openProxyWorld(t)
  const ask = (version: string): Promise<string> =>
    world.raw(
      `GET http://free.test:${port}/ HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
  t.match(await ask('1.1'), /^HTTP\/1\.1 200 [^]*\r\n\r\n2\r\nok\r\n0\r\n\r\n$/)
  t.match(await ask('1.0'), /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/)
  t.notMatch((await ask('1.1')) + (await ask('1.0')), /trailer/i)
})
