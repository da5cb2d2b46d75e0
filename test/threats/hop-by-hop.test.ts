/** What is for one hop stays on it, and no `Connection` field can take away what frames or names a message (RFC 9110 §7.6.1). */
import t from 'tap'
import { openProxyWorld } from '../support/proxy-world.ts'
import { openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

t.test('Connection cannot name away the host, the framing or the way that was taken', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  const named = 'close, Host, Content-Length, Transfer-Encoding, Via, Connection, "x", , ;'
  const post = (framing: string, body: string): string =>
    `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nVia: 1.0 before\r\nConnection: ${named}\r\n${framing}\r\n\r\n${body}`
  for (const bytes of [
    post('Content-Length: 5', 'hello'),
    post('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
  ]) {
    origin.clear()
    t.match(await sendAll(world, bytes), /^HTTP\/1\.1 200 /)
    t.strictSame(origin.faults, [])
    t.match(origin.requests, [{ body: 'hello' }])
    const fields = new Map(origin.requests[0]?.fields)
    t.equal(fields.get('host'), `free.test:${origin.port}`)
    t.equal(fields.get('via'), '1.0 before, 1.1 preau')
  }
})

t.test(
  'every field of one hop is dropped, whatever its case, on several Connection lines too',
  async t => {
    const origin = await openRecordingOrigin(t)
    const world = await openProxyWorld(t)
    const gone = [
      'x-hop',
      'x-second',
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'proxy-authenticate',
      'te',
      'trailer',
      'upgrade',
    ]
    const fields = gone.map(name => `${name.toUpperCase()}: 1\r\n`).join('')
    await sendAll(
      world,
      `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nCONNECTION: X-Hop\r\nConnection: close, x-second\r\n${fields}X-End: 1\r\nCookie: a=1\r\nAuthorization: Basic YQ==\r\n\r\n`,
    )
    const names = origin.requests[0]?.fields.map(([name]) => name)
    t.strictSame(
      names?.filter(name => gone.includes(name)),
      [],
    )
    for (const kept of ['x-end', 'cookie', 'authorization']) t.ok(names?.includes(kept), kept)
  },
)

t.test(
  'an answer keeps what is for the client, in its order, and loses what was for us',
  async t => {
    const origin = await openRecordingOrigin(t, (_request, socket) => {
      socket.write(
        'HTTP/1.1 200 Fine\r\nConnection: X-R, Content-Length\r\nX-R: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\n' +
          'Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nTrailer: X-T\r\nSet-Cookie: b=2\r\nVia: 1.1 before\r\nSet-Cookie: a=1\r\n' +
          'Link: <a>\r\nlink: <b>\r\nContent-Length: 2\r\n\r\nok',
      )
    })
    const world = await openProxyWorld(t)
    const answer = await sendAll(
      world,
      `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    t.match(answer, /^HTTP\/1\.1 200 Fine\r\n/, 'the reason phrase too')
    t.match(answer, /\r\nSet-Cookie: b=2\r\n[^]*Set-Cookie: a=1\r\nLink: <a>\r\nlink: <b>\r\n/)
    t.match(answer, /\r\nVia: 1\.1 before\r\n[^]*\r\nVia: 1\.1 preau\r\n/)
    t.match(answer, /\r\nContent-Length: 2\r\n[^]*\r\n\r\nok$/)
    t.notMatch(answer, /x-r:|keep-alive:|proxy-|upgrade:|trailer:/i)
  },
)
