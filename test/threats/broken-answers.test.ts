/** What an origin says wrongly ends as a 502 or a broken connection, never as a whole answer (RFC 9112 §6.3 and §8). */
import t from 'tap'
import type { Socket } from 'node:net'
import { openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const ask = (port: number, version = '1.1', fields = ''): string =>
  `GET http://free.test:${port}/ HTTP/${version}\r\nHost: a\r\n${fields}\r\n`

const world = await openProxyWorld(t)
/** An origin that answers each connection with these bytes once, and ends unless it is told to stay. */
const openSaying = (bytes: string, isEnding = true): Promise<number> =>
  openRawOrigin(t, socket =>
    socket.once('data', () =>
      isEnding ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1'),
    ),
  )

t.test(
  'a head that cannot be read in one way is a 502, and nothing of it is passed on',
  async t => {
    const head = 'HTTP/1.1 200 OK\r\n'
    const answers = {
      'a length and chunks': `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nmarker`,
      'chunks and a length': `${head}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nmarker`,
      'two lengths': `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nmarker`,
      'a list of lengths': `${head}Content-Length: 6, 3\r\n\r\nmarker`,
      'two lengths behind white space': `${head}Content-Length : 6\r\nContent-Length: 3\r\n\r\nmarker`,
      'two lengths by LF': 'HTTP/1.1 200 OK\nContent-Length: 6\nContent-Length: 3\n\nmarker',
      'a length and chunks by LF':
        'HTTP/1.1 200 OK\nContent-Length: 6\nTransfer-Encoding: chunked\n\nmarker',
      'chunks behind white space, and a length': `${head}Transfer-Encoding : chunked\r\nContent-Length: 6\r\n\r\nmarker`,
      'chunks on a folded line, and a length': `${head}Transfer-Encoding:\r\n chunked\r\nContent-Length: 6\r\n\r\nmarker`,
      'two codings': `${head}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nmarker\r\n0\r\n\r\n`,
      'a length with a sign': `${head}Content-Length: +6\r\n\r\nmarker`,
      'a length too long for a number': `${head}Content-Length: 18446744073709551621\r\n\r\nmarker`,
      'a coding that we did not ask for': `${head}Transfer-Encoding: gzip, chunked\r\n\r\n6\r\nmarker\r\n0\r\n\r\n`,
      'an unknown coding': `${head}Transfer-Encoding: marker\r\n\r\nmarker`,
      'a status of letters': 'HTTP/1.1 abc marker\r\n\r\n',
      'a status of two figures': 'HTTP/1.1 20 marker\r\n\r\n',
      'a status of four figures': 'HTTP/1.1 2000 marker\r\n\r\n',
      'a status beyond all': 'HTTP/1.1 000 marker\r\nContent-Length: 0\r\n\r\n',
      'another protocol': 'RTSP/1.0 200 OK\r\nX: marker\r\n\r\nmarker',
      'the protocol of Icecast sources': 'ICE/1.0 200 OK\r\nX: marker\r\n\r\nmarker',
      'HTTP/0.9 by name': 'HTTP/0.9 200 OK\r\nX: marker\r\n\r\nmarker',
      'HTTP/0.9': 'marker, without a head',
      'an empty line first': 'marker\r\n\r\n',
      'a NUL in a field': `${head}X: a\0marker\r\n\r\n`,
      'a NUL in a field, by LF': 'HTTP/1.1 200 OK\nX: a\0marker\n\n',
      'a CR in the reason': 'HTTP/1.1 200 a\rmarker\r\nContent-Length: 0\r\n\r\n',
      'a bell in the reason': 'HTTP/1.1 200 a\x07marker\r\nContent-Length: 0\r\n\r\n',
      'no colon': `${head}marker\r\n\r\n`,
      'an empty name': `${head}: marker\r\n\r\n`,
      'white space in a name': `${head}Content Length: 6\r\n\r\nmarker`,
      'a control in a name': `${head}X\x01: marker\r\n\r\n`,
      'a head without end': `${head}X: marker\r\n`,
      'nothing at all': '',
      'more head than anybody sends': `${head}X: ${'marker'.repeat(20_000)}\r\n\r\n`,
      'a switch that nobody asked for':
        'HTTP/1.1 101 marker\r\nConnection: Upgrade\r\nUpgrade: marker\r\n\r\n',
      // Found by `npm run fuzz -- --target answers`.
      'a switch without the fields of one': 'HTTP/1.1 101 marker\r\n\r\n',
      'an end of head by CR LF CR': `${head}X: y\r\n\rmarker\r\n\r\n`,
    }
    for (const [name, bytes] of Object.entries(answers)) {
      const got = await world.raw(ask(await openSaying(bytes), '1.1', 'Connection: close\r\n'))
      t.match(got, /^HTTP\/1\.1 502 /, `${name}: ${JSON.stringify(got.slice(0, 60))}`)
      t.notMatch(got, /marker/, name)
    }
  },
)

t.test('what could be a second field stays in the first, or goes', async t => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
  const answers = {
    'a bare CR': [`${head}X: a\rmarker: 1\r\n\r\nok`, /\r\nX: a marker: 1\r\n/],
    'two bare CR': [`${head}X: a\r\rmarker: 1\r\n\r\nok`, /\r\nX: a {2}marker: 1\r\n/],
    'a folded line': [`${head}X: a\r\n\tmarker: 1\r\n\r\nok`, /\r\nX: a marker: 1\r\n/],
    // RFC 9112 §2.2: rejected, or consumed without a look at it.
    'white space before the first field': [
      `HTTP/1.1 200 OK\r\n marker: 1\r\nContent-Length: 2\r\n\r\nok`,
      /^(?![^]*marker)/,
    ],
  } as const
  for (const [name, [bytes, expected]] of Object.entries(answers)) {
    const got = await world.raw(ask(await openSaying(bytes), '1.1', 'Connection: close\r\n'))
    t.match(got, /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/, `${name}: ${JSON.stringify(got)}`)
    t.match(got, expected, name)
  }
})

t.test('a body that breaks off never ends cleanly', async t => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const answers = {
    'shorter than its length': `${head}Content-Length: 100\r\n\r\nhalf`,
    'cut in a chunk': `${head}Transfer-Encoding: chunked\r\n\r\n64\r\nhalf`,
    'cut between chunks': `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
    'cut before the end of the last chunk': `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n`,
    'a chunk of another size': `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalfhalf\r\n0\r\n\r\n`,
    'a chunk size of letters': `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n`,
  }
  for (const [name, bytes] of Object.entries(answers)) {
    const got = await world.raw(ask(await openSaying(bytes)))
    const isWhole = got.endsWith('0\r\n\r\n') || /content-length: 4\r\n/i.test(got)
    t.match(got, /^HTTP\/1\.1 200 /, `${name}: the head that came is given`)
    t.notOk(isWhole, `${name}: ${JSON.stringify(got)}`)
    t.notMatch(got, /xyz|0\r\n$/, name)
  }
})

t.test('where only the end of the connection ends a body, a broken one is a reset', async t => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => {
      socket.write(head)
      setTimeout(() => socket.destroy(), 30)
    }),
  )
  const socket = await world.open()
  const closed = new Promise(resolve => socket.once('close', resolve))
  let code = ''
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''))
  socket.write(ask(port, '1.0'))
  await readUntil(socket, 'half')
  socket.resume()
  await closed
  t.equal(code, 'ECONNRESET')
})

t.test('so it is where the origin resets, or its framing breaks', async t => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'
  const ways = {
    resets: (socket: Socket): unknown => socket.resetAndDestroy(),
    'breaks its framing': (socket: Socket): unknown => socket.write('xyz\r\n'),
  }
  for (const [name, breakOff] of Object.entries(ways)) {
    let onHeard = (): void => undefined
    const port = await openRawOrigin(t, socket =>
      socket.once('data', () => {
        socket.write(head)
        onHeard = () => void breakOff(socket)
      }),
    )
    const socket = await world.open()
    const closed = new Promise(resolve => socket.once('close', resolve))
    let code = ''
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''))
    socket.write(ask(port, '1.0'))
    await readUntil(socket, 'half')
    onHeard()
    socket.resume()
    await closed
    t.equal(code, 'ECONNRESET', name)
  }
})

t.test('an origin that resets is a 502 before its head, and a broken connection after', async t => {
  const early = await openRawOrigin(t, socket =>
    socket.once('data', () => socket.resetAndDestroy()),
  )
  t.match(await world.raw(ask(early, '1.1', 'Connection: close\r\n')), /^HTTP\/1\.1 502 /)
  const late = await openRawOrigin(t, socket =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhalf')
      setTimeout(() => socket.resetAndDestroy(), 30)
    }),
  )
  t.notMatch(await world.raw(ask(late)), /0\r\n\r\n$/)
})

t.test('a client whose body goes wrong gets no second answer behind half of the first', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')),
  )
  const socket = await world.open()
  socket.write(
    `POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  const begun = await readUntil(socket, 'half')
  socket.write('xyz\r\n')
  t.match(begun + (await readUntil(socket)), /^HTTP\/1\.1 200 [^]*half$/)
})
