/** Upgrades (RFC 9110 §7.8): a WebSocket over plain HTTP passes, any other is served as the plain request it also is. */
import t from 'tap'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { accept, frame, handshake, openEcho, switched } from '../support/websocket.ts'

t.test('a WebSocket over plain HTTP passes both ways, and is cut when refused', async t => {
  const { port } = await openEcho(t)
  const world = await openProxyWorld(t)
  const upgrade = (name: string) => handshake(`http://${name}:${port}/chat`, name)
  const socket = await world.open()
  socket.write(upgrade('free.test'))
  const head = await readUntil(socket, '\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 101 /)
  t.match(head, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i)
  // A masked text frame « hi » (RFC 6455 §5.7).
  socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  t.match(await readUntil(socket, 'echo hi'), /echo hi/)
  t.match(await world.raw(upgrade('games.test')), /^HTTP\/1\.1 403 /)
})

const upgradeTo = (port: number): string => handshake(`http://free.test:${port}/`, 'free.test')

t.test('an origin that does not switch answers as any other, whole or broken off', async t => {
  const world = await openProxyWorld(t)
  const plain = await openOrigin(t, (_request, response) => {
    response.writeHead(200, { 'Keep-Alive': 'timeout=9', 'X-Kept': '1' }).end('no socket here')
  })
  const whole = await world.raw(upgradeTo(plain.port))
  t.match(whole, /^HTTP\/1\.1 200 [^]*x-kept: 1[^]*via: 1\.1 preau[^]*no socket here/i)
  t.notMatch(whole, /keep-alive/i)
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf', () => socket.destroy()),
    ),
  )
  const socket = await world.open()
  socket.write(upgradeTo(port))
  t.match(await readUntil(socket), /half$/)
  await eventually(() => world.log.length === 2)
  t.strictSame(
    world.log.map(({ status }) => status),
    [200, 200],
    'the log tells what was answered, not what was hoped for',
  )
})

t.test('a WebSocket that breaks after it stood gets no page in its frames', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.once('data', (head: Buffer) =>
      socket.write(Buffer.concat([Buffer.from(switched(head)), frame('frame')]), () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      ),
    ),
  )
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(upgradeTo(port))
  t.match(await readUntil(socket), /^HTTP\/1\.1 101 [^]*\r\n\r\n..frame$/)
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ status: 101, reason: 'default' }])
})

t.test(
  'a WebSocket is let go after its silence, and when its client left before it stood',
  async t => {
    const port = await openRawOrigin(t, socket =>
      socket.once('data', (head: Buffer) => setTimeout(() => socket.write(switched(head)), 50)),
    )
    const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: 100 } })
    for (const isLeaving of [false, true]) {
      const socket = await world.open()
      socket.write(upgradeTo(port))
      await eventually(() => world.proxy.openExchanges === 1)
      if (isLeaving) socket.destroy()
      await eventually(() => world.proxy.openExchanges === 0)
      t.equal(world.proxy.openExchanges, 0)
    }
  },
)

t.test(
  'a client that ends while its handshake waits takes the connection to the origin along',
  async t => {
    let ended = 0
    const port = await openRawOrigin(t, socket => socket.resume().on('end', () => ended++))
    const world = await openProxyWorld(t)
    for (const leave of [(socket: Socket) => socket.end(), (socket: Socket) => socket.destroy()]) {
      const before = ended
      const socket = await world.open()
      socket.write(upgradeTo(port))
      await eventually(() => world.proxy.openExchanges === 1)
      leave(socket)
      await eventually(() => world.proxy.openExchanges === 0)
      t.equal(world.proxy.openExchanges, 0)
      await eventually(() => ended > before)
      t.equal(ended, before + 1)
    }
  },
)

t.test('a tunnel asked for behind a request that waits for its answer is not opened', async t => {
  const slow = await openRawOrigin(t, socket => socket.resume())
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const first = `GET http://free.test:${slow}/ HTTP/1.1\r\nHost: a\r\n\r\n`
  for (const second of [
    upgradeTo(origin.port),
    `CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`,
    'CONNECT games.test:8443 HTTP/1.1\r\nHost: a\r\n\r\n',
  ]) {
    t.equal(await world.raw(first + second), '', second.slice(0, 20))
  }
  await eventually(() => world.log.length === 6)
  t.equal(world.log.filter(({ reason }) => reason === 'PREAU_BAD_REQUEST').length, 3)
})

t.test(
  'a WebSocket whose client has ended its sending goes on for as long as any other',
  async t => {
    const port = await openRawOrigin(t, socket => {
      accept(socket)
      socket.on('end', () => socket.end(frame('last words')))
    })
    const world = await openProxyWorld(t)
    const arrived = once(world.proxy.server, 'connection') as Promise<[Socket]>
    const socket = await world.open()
    const [served] = await arrived
    socket.write(upgradeTo(port))
    await readUntil(socket, '\r\n\r\n')
    const ended = once(served, 'end')
    socket.end()
    t.match(await readUntil(socket), /last words$/)
    await ended
    t.notOk(served.timeout, 'the patience with a half-closed request is not for it')
  },
)

t.test('another upgrade is served as the plain request it also is', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const answer = await world.raw(
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`,
  )
  t.match(answer, /^HTTP\/1\.1 200/)
  t.equal(origin.requests[0]?.headers.upgrade, undefined)
  const withBody = upgradeTo(origin.port).replace(
    'Upgrade\r\n',
    'Upgrade, close\r\nContent-Length: 4\r\n',
  )
  t.match(await world.raw(`${withBody}body`), /^HTTP\/1\.1 200/)
  t.match(origin.requests[1], { body: 'body' })
})
