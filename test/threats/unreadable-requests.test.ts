/** What no parser can read is answered at its turn and told in the access log, once for each connection, and within bounds. */
import t from 'tap'
import { once } from 'node:events'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRecordingOrigin, OK } from '../support/recording-origin.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const GET = 'GET http://free.test/ HTTP/1.1\r\nHost: a\r\n'
const BAD = { code: 'PREAU_BAD_REQUEST', status: 400 }

t.test('each of them is answered, and leaves one line in the log', async t => {
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 300, maxHeaderBytes: 4_096 } })
  const rows: [string, string, { code: string; status: number }][] = [
    ['TLS on the proxy port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', BAD],
    ['SOCKS', '\x05\x01\x00', BAD],
    ['a preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', BAD],
    ['no version', 'GET http://free.test/\r\n\r\n', BAD],
    ['a method in small letters', 'get http://free.test/ HTTP/1.1\r\nHost: a\r\n\r\n', BAD],
    ['a broken field', `${GET}NoColon\r\n\r\n`, BAD],
    ['no Host', 'GET http://free.test/ HTTP/1.1\r\n\r\n', BAD],
    ['a length that is none', `${GET}Content-Length: x\r\n\r\n`, BAD],
    ['a broken CONNECT', 'CONNECT free.test:443 HTTP/1.1\r\nHost: a\r\nX\r\n\r\n', BAD],
    ['RTSP', 'GET http://free.test/ RTSP/1.0\r\nHost: a\r\n\r\n', BAD],
    ['half a line', 'GET http://fr', { code: 'PREAU_REQUEST_TIMEOUT', status: 408 }],
    ['half a head', GET, { code: 'PREAU_REQUEST_TIMEOUT', status: 408 }],
    [
      'a large head',
      `${GET}X: ${'x'.repeat(9_000)}`,
      { code: 'PREAU_HEAD_TOO_LARGE', status: 431 },
    ],
    ['a line without end', 'G'.repeat(9_000), BAD],
  ]
  for (const [name, bytes, { code, status }] of rows) {
    world.log.length = 0
    const answer = await world.raw(Buffer.from(bytes, 'latin1'))
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nConnection: close\\r\\n`), name)
    await eventually(() => world.log.length > 0)
    t.match(world.log, [{ ip: '127.0.0.1', reason: code, status, verdict: 'none', host: '' }], name)
    t.equal(world.log.length, 1, name)
  }
})

t.test('who says nothing, or leaves, is in no log', async t => {
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 200, keepAliveTimeoutMs: 200 } })
  const origin = await openOrigin(t)
  await world.raw('')
  const kept = await world.open()
  kept.write(`GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(kept, 'hello /')
  kept.resetAndDestroy()
  ;(await world.open()).resetAndDestroy()
  const connections = (): Promise<number> =>
    new Promise(resolve => world.proxy.server.getConnections((_, count) => resolve(count)))
  let open = -1
  await eventually(() => {
    void connections().then(count => (open = count))
    return open === 0
  })
  t.match(world.log, [{ status: 200 }])
  t.equal(world.log.length, 1)
})

t.test('a flood of them from one PC is counted, and no longer told line by line', async t => {
  const world = await openProxyWorld(t, { clock: () => 0 })
  const told: boolean[] = []
  for (let i = 0; i < 130; i++) told.push(/ 400 /.test(await world.raw('\x16\x03\x01')))
  t.ok(told.every(Boolean), 'each is answered')
  await eventually(() => world.log.length === 130)
  t.equal(world.log.length, 130, 'each is counted')
  t.equal(world.untold, 30, 'a hundred a minute have a line')
})

t.test('bytes behind a pending request wait: its answer first, then the 400', async t => {
  const held: (() => void)[] = []
  const origin = await openRecordingOrigin(t, (_request, socket) =>
    held.push(() => socket.write(OK)),
  )
  const rest = ['\x16\x03\x01', 'X\r\n', `${GET}NoColon\r\n\r\n`]
  for (const garbage of rest) {
    const world = await openProxyWorld(t)
    const socket = await world.open()
    const get = (path: string): string =>
      `GET http://free.test:${origin.port}/${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    const answers = readUntil(socket)
    socket.write(Buffer.from(get('1') + get('2') + garbage, 'latin1'))
    await eventually(() => held.length === 2)
    socket.write('and more of it\r\n')
    // Out of order: the second origin is the faster one.
    for (const answer of held.splice(0).toReversed()) answer()
    t.match(
      await answers,
      /^HTTP\/1\.1 200 [^]*\r\n\r\nokHTTP\/1\.1 200 [^]*\r\n\r\nokHTTP\/1\.1 400 [^]*is not valid\.\n$/,
    )
    socket.destroy()
    await eventually(() => world.log.length === 3)
    t.strictSame(
      world.log.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 200, 400],
    )
  }
})

t.test('half a head behind a pending request does not take its answer away either', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => setTimeout(() => socket.write(OK), 900)),
  )
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 200 } })
  const socket = await world.open()
  socket.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n\r\nGET http://half`)
  t.match(await readUntil(socket), /^HTTP\/1\.1 200 [^]*okHTTP\/1\.1 408 /)
})

t.test(
  'a body that breaks is answered in the place of its request, whose origin is let go',
  async t => {
    const origin = await openRecordingOrigin(t, () => undefined)
    const world = await openProxyWorld(t)
    const post = `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`
    const answer = await world.raw(`${post}5\r\nhello\r\nzz\r\n`)
    t.match(answer, /^HTTP\/1\.1 400 /)
    await eventually(() => world.log.length === 1)
    t.match(world.log, [
      { method: 'POST', status: 400, reason: 'PREAU_BAD_REQUEST', host: 'free.test' },
    ])
    await eventually(() => origin.connections.every(({ isOpen }) => !isOpen))
    t.ok(origin.connections.every(({ isOpen }) => !isOpen))
    t.strictSame(origin.requests, [])
  },
)

t.test('a CONNECT with a body is refused, and the client is the one it is', async t => {
  const world = await openProxyWorld(t)
  for (const fields of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const head = `CONNECT free.test:1025 HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
    for (const body of ['', 'hello', '5\r\nhello\r\n0\r\n\r\n']) {
      const socket = await world.open()
      socket.write(head + body)
      t.match(await readUntil(socket), /^HTTP\/1\.1 400 /, fields + body)
      socket.destroy()
    }
  }
  const last = await world.open()
  last.write('CONNECT free.test:1025 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
  t.notMatch(await readUntil(last, '\r\n\r\n'), / 400 /, 'none is what curl and Python may say')
  last.destroy()
  await eventually(() => world.log.length === 7)
  t.ok(world.log.every(({ ip, profile }) => ip === '127.0.0.1' && profile === 'pupils'))
  const probe = await world.open()
  probe.end()
  await once(probe, 'close')
})
