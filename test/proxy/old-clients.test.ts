/** Clients of HTTP/1.0: no chunks, no kept connection, the end of the connection is the end of the body (RFC 9112 §6.1, §9.3). */
import t from 'tap'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { openRecordingOrigin } from '../support/recording-origin.ts'

t.test('an answer in chunks arrives as plain bytes and ends with the connection', async t => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'
  const port = await openRawOrigin(t, socket => socket.on('data', () => socket.write(chunked)))
  const world = await openProxyWorld(t)
  // A field TE from HTTP/1.0 promises nothing.
  for (const fields of ['', 'Connection: keep-alive\r\n', 'TE: chunked\r\n']) {
    const answer = await world.raw(`GET http://free.test:${port}/ HTTP/1.0\r\n${fields}\r\n`)
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello world$/, fields)
    t.notMatch(answer, /transfer-encoding|connection: keep-alive/i, fields)
  }
})

t.test('no connection is kept with HTTP/1.0, also where it asks for one', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  for (const name of ['free.test', 'games.test']) {
    const socket = await world.open()
    socket.write(
      `GET http://${name}:${origin.port}/ HTTP/1.0\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\n\r\n`,
    )
    t.match(await readUntil(socket), /^HTTP\/1\.1 (?:200|403) [^]*(?:ok|refused page)/)
    t.ok(socket.readableEnded, name)
  }
  t.match(origin.requests, [{ method: 'GET', url: '/' }])
  const fields = new Map(origin.requests[0]?.fields)
  t.match(
    fields,
    new Map([
      ['via', '1.0 preau'],
      ['host', `free.test:${origin.port}`],
    ]),
  )
  t.equal(origin.faults.length, 0, 'what goes on is HTTP/1.1')
})

t.test('an answer of an HTTP/1.0 origin reaches a client of HTTP/1.1, which may go on', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\nX: 1\r\n\r\nuntil the end')),
  )
  const world = await openProxyWorld(t)
  const socket = await world.open()
  for (let i = 0; i < 2; i++) {
    socket.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
    const answer = await readUntil(socket, '0\r\n\r\n')
    t.match(
      answer,
      /^HTTP\/1\.1 200 OK\r\nX: 1\r\n[^]*Via: 1\.0 preau\r\n[^]*d\r\nuntil the end\r\n0\r\n\r\n$/,
    )
  }
})

t.test('versions that nobody speaks here are refused', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  for (const line of ['', ' HTTP/0.9', ' HTTP/1.2', ' HTTP/2.0', ' HTTP/3', ' http/1.1'])
    t.match(
      await world.raw(`GET http://free.test:${origin.port}/${line}\r\nHost: a\r\n\r\n`),
      /^(?:HTTP\/1\.1 (?:400|505) |$)/,
      line,
    )
  await eventually(() => world.proxy.openExchanges === 0)
  t.strictSame(origin.connections, [])
})
