/** Clients that begin and never end: they are closed in time, and the others are served meanwhile. */
import t from 'tap'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { eventually, openOrigin, openProxyWorld } from '../support/proxy-world.ts'

t.test('silent connections and half heads are closed in time', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 300 } })
  const begun = [
    '',
    'C',
    'CONNECT free.test:443 HT',
    'CONNECT free.test:443 HTTP/1.1\r\nHost: a\r\n',
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n`,
  ]
  const sockets = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = await world.open()
      socket.resume()
      socket.write(begun[i % begun.length] ?? '')
      return socket
    }),
  )
  const request = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(request), /^HTTP\/1\.1 200/, 'another one is served meanwhile')
  const isOver = (): boolean => sockets.every(socket => socket.readableEnded || socket.closed)
  await eventually(isOver)
  t.ok(isOver())
  t.equal(world.limited.filter(limit => limit === 'headTimeoutMs').length, 100)
})

t.test('a trickle does not lengthen the time of a head', async t => {
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 300 } })
  const socket = await world.open()
  socket.resume()
  const trickle = setInterval(() => socket.write('x'), 50)
  t.teardown(() => clearInterval(trickle))
  socket.write('GET http://free.test/ HTTP/1.1\r\nX: ')
  await eventually(() => socket.readableEnded || socket.closed)
  t.ok(socket.readableEnded || socket.closed)
})

t.test('a slow reader makes the origin wait, it does not fill our memory', async t => {
  let sent = 0
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      const send = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) sent += 65_536
      }
      socket.on('drain', send)
      send()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const world = await openProxyWorld(t)
  const client = connect(world.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.pause()
  client.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\ngo`)
  let before = -1
  let looks = 0
  // Several looks: on a busy machine it may just have had no turn.
  await eventually(() => {
    looks = sent === before && sent > 0 ? looks + 1 : 0
    before = sent
    return looks >= 10
  })
  t.ok(looks >= 10, 'the origin waits')
  t.ok(sent < 64_000_000, `${sent} bytes stand in buffers, those of the system among them`)
  client.destroy()
})
