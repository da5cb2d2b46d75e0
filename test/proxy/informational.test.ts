/** Answers that announce another one (1xx, RFC 9110 §15.2) pass on the way to the final one, to clients that know them. */
import t from 'tap'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const get = (port: number, version = '1.1'): string =>
  `GET http://free.test:${port}/ HTTP/${version}\r\nHost: a\r\n\r\n`

t.test(
  '102, 103 and an unknown 1xx come before the final answer, without fields of one hop',
  async t => {
    const port = await openRawOrigin(t, socket =>
      socket.on('data', () => {
        socket.write(
          'HTTP/1.1 102 Processing\r\n\r\n' +
            'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 9\r\n\r\n' +
            'HTTP/1.1 199 Odd\r\nX-Any: 1\r\n\r\n',
        )
        setTimeout(() => socket.write(OK), 20)
      }),
    )
    const world = await openProxyWorld(t)
    const socket = await world.open()
    for (let i = 0; i < 2; i++) {
      socket.write(get(port))
      const text = await readUntil(socket, '\r\n\r\nok')
      t.match(
        text,
        /^HTTP\/1\.1 102 [^]*HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nlink: <\/b\.js>; rel=preload\r\nVia: 1\.1 preau\r\n\r\nHTTP\/1\.1 199 [^]*X-Any: 1\r\n[^]*HTTP\/1\.1 200 OK\r\n/,
      )
      t.notMatch(text, /x-hop/i)
      t.equal(text.match(/content-length/gi)?.length, 1)
    }
    t.match(world.log[0], { status: 200 })
  },
)

t.test('a client of HTTP/1.0 gets the final answer only', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', () =>
      socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${OK}`,
      ),
    ),
  )
  const world = await openProxyWorld(t)
  t.match(await world.raw(get(port, '1.0')), /^HTTP\/1\.1 200 /)
})

t.test('of two requests at once, each gets its 1xx before its own answer', async t => {
  // What the second one announces comes first, while the answer of the first is still awaited.
  const port = await openRawOrigin(t, socket =>
    socket.on('data', data => {
      const isFirst = String(data).includes(' /1 ')
      if (!isFirst) socket.write('HTTP/1.1 103 Early Hints\r\nLink: <2>\r\n\r\n')
      setTimeout(() => socket.write(OK), isFirst ? 50 : 150)
    }),
  )
  const world = await openProxyWorld(t)
  const ask = (path: string): string => get(port).replace('/ HTTP', `/${path} HTTP`)
  const text = await world.raw(ask('1') + ask('2'), /ok[^]*ok/)
  t.match(
    text,
    /^HTTP\/1\.1 200 [^]*\r\n\r\nokHTTP\/1\.1 103 [^]*<2>[^]*HTTP\/1\.1 200 [^]*\r\n\r\nok$/,
  )
})

t.test('an announcement never falls into an answer that waits for its turn', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', data => {
      const isFirst = String(data).includes(' /1 ')
      const say = `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${OK}`
      setTimeout(() => socket.write(say), isFirst ? 60 : 0)
    }),
  )
  const world = await openProxyWorld(t)
  const ask = (path: string): string => get(port).replace('/ HTTP', `/${path} HTTP`)
  const text = await world.raw(ask('1') + ask('2'), /ok[^]*ok/)
  t.match(
    text,
    /^HTTP\/1\.1 103 [^]*HTTP\/1\.1 200 (?:(?!HTTP)[^])*\r\n\r\nok(?:HTTP\/1\.1 103 (?:(?!HTTP)[^])*)?HTTP\/1\.1 200 (?:(?!HTTP)[^])*\r\n\r\nok$/,
  )
})

t.test('an origin that announces without end is given up', async t => {
  let isClosed = false
  const port = await openRawOrigin(t, socket => {
    socket.on('close', () => (isClosed = true))
    socket.once('data', () => {
      const go = (): void => {
        while (!socket.destroyed && socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)));
        socket.once('drain', go)
      }
      go()
    })
  })
  const world = await openProxyWorld(t)
  const text = await world.raw(get(port), 'valide')
  t.match(text, /^(?:HTTP\/1\.1 102 [^]{0,60}\r\n\r\n){1,40}HTTP\/1\.1 502 /)
  await eventually(() => isClosed)
  t.ok(isClosed)
})
