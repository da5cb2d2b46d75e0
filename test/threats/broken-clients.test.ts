/** Whatever a client sends, and whenever it leaves, the same process goes on serving the others. */
import t from 'tap'
import { randomBytes } from 'node:crypto'
import { eventually, openOrigin, openProxyWorld } from '../support/proxy-world.ts'

t.test(
  'bytes that are no HTTP get 400 or a closed door, and the next client is served',
  async t => {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    const garbage = [
      'GET /\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      '\x05\x01\x00',
      '\0\0\0\0',
      'GET http://free.test/ HTTP/1.1\r\nNoColon\r\n\r\n',
      'GET http://free.test/ HTTP/1.1\r\n: empty\r\n\r\n',
      'GET http://free.test/ HTTP/1.1\r\nName : x\r\nHost: a\r\n\r\n',
      'GET http://free.test/ HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
      'GET http://free.test/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n',
      // Found by `npm run fuzz -- --target proxy`: these three were forwarded.
      `GET http://free.test:${origin.port}/\r\nHost: a\r\n\r\n`,
      `POST http://free.test:${origin.port}\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET http://free.test:${origin.port}/ HTTP/2.0\r\nHost: a\r\n\r\n`,
      'CONNECT free.test:1025\r\nHost: a\r\n\r\n',
      'CONNECT free.test:1025 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      'CONNECT a\0b:443 HTTP/1.1\r\nHost: a\r\n\r\n',
      `GET http://free.test/ HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
    ]
    for (const bytes of [...garbage.map(text => Buffer.from(text, 'latin1')), randomBytes(600)]) {
      const socket = await world.open()
      socket.end(bytes)
      const answer = await new Promise<string>(resolve => {
        let text = ''
        socket.on('data', chunk => (text += String(chunk)))
        socket.on('close', () => resolve(text))
        setTimeout(() => socket.destroy(), 500).unref()
        socket.on('end', () => socket.destroy())
      })
      t.match(
        answer,
        /^(?:HTTP\/1\.1 4\d\d |$)/,
        JSON.stringify(bytes.subarray(0, 24).toString('latin1')),
      )
    }
    t.equal(origin.requests.length, 0)
    t.match(
      await world.raw(
        `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      ),
      /^HTTP\/1\.1 200/,
    )
  },
)

t.test('a client that breaks off at any moment leaves nothing open', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const requests = [
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`,
    `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf`,
    `CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`,
    'CONNECT free.test:1025 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT games.test:1025 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03',
    'CONNECT nowhere.invalid:1025 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT free.test:22 HTTP/1.1\r\nHost: a\r\n\r\n',
  ]
  for (let round = 0; round < 30; round++) {
    const socket = await world.open()
    const request = requests[round % requests.length] ?? ''
    socket.write(
      Buffer.from(request.slice(0, 1 + ((round * 37) % request.length) || undefined), 'latin1'),
    )
    if (round % 3 === 0) await new Promise(resolve => setTimeout(resolve, 3))
    socket.resetAndDestroy()
  }
  await eventually(() => world.proxy.openExchanges === 0)
  t.equal(world.proxy.openExchanges, 0)
  const connections = await new Promise<number>(resolve =>
    world.proxy.server.getConnections((_error, count) => resolve(count)),
  )
  t.ok(connections <= 2, `${connections} connections left`)
})
