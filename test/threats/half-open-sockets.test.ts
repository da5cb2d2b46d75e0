/** Case 132: peers that are gone without a word. What no longer moves is closed in its time, on both sides. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'

const IDLE_MS = 400

/** A TCP origin; `onData` is what it does with what it hears. */
async function openPeer(t: Test, onData: (socket: Socket) => void, allowHalfOpen = false) {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen }, socket => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
    socket.once('data', () => onData(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

function pour(socket: Socket): void {
  const send = (): void => {
    while (socket.writable && socket.write(Buffer.alloc(65_536))) continue
  }
  socket.on('drain', send)
  send()
}

async function tunnelTo(world: ProxyWorld, port: number): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  return socket
}

const isOver = (socket: Socket): boolean => socket.closed || socket.readableEnded

t.test('a client that froze in a tunnelled download is given up, and its origin told', async t => {
  const origin = await openPeer(t, pour)
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: IDLE_MS } })
  const client = await tunnelTo(world, origin.port)
  client.pause()
  client.write('go')
  await eventually(() => origin.open.size === 1)
  await eventually(() => world.proxy.openExchanges === 0)
  t.equal(world.proxy.openExchanges, 0)
  await eventually(() => origin.open.size === 0)
  t.equal(origin.open.size, 0)
})

t.test('a client that froze in a plain download is given up, and its origin told', async t => {
  const origin = await openPeer(t, socket => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n')
    pour(socket)
  })
  const world = await openProxyWorld(t, {
    limits: { answerTimeoutMs: IDLE_MS, tunnelIdleTimeoutMs: IDLE_MS },
  })
  const client = await world.open()
  client.pause()
  client.write(`GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  await eventually(() => origin.open.size === 1)
  await eventually(() => origin.open.size === 0)
  t.equal(origin.open.size, 0)
  await eventually(() => world.proxy.openExchanges === 0)
  t.equal(world.proxy.openExchanges, 0)
})

t.test('an origin that says nothing any more is told to the client', async t => {
  const origin = await openPeer(t, () => undefined)
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: IDLE_MS } })
  const client = await tunnelTo(world, origin.port)
  client.write('a question')
  client.resume()
  await eventually(() => isOver(client))
  t.ok(isOver(client))
  await eventually(() => origin.open.size === 0)
  t.equal(origin.open.size, 0)
})

t.test('two half-closed sides that wait for each other are not waited for', async t => {
  // Each has ended its sending, neither closes: allowed by TCP, and for ever.
  const origin = await openPeer(t, socket => void socket.resume(), true)
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: IDLE_MS } })
  const clients = await Promise.all(Array.from({ length: 20 }, () => tunnelTo(world, origin.port)))
  for (const client of clients) client.end('last words')
  await eventually(() => world.proxy.openExchanges === 0)
  t.equal(world.proxy.openExchanges, 0)
  // An origin that still listens learns from the answer to its next word that nobody is there.
  const askAgain = setInterval(() => origin.open.forEach(socket => socket.write('?')), 50)
  t.teardown(() => clearInterval(askAgain))
  await eventually(() => origin.open.size === 0)
  t.equal(origin.open.size, 0)
  t.equal(await countConnections(world), 0)
})

t.test('an upload whose client fell silent ends, and its origin is told', async t => {
  const origin = await openPeer(t, socket => void socket.resume())
  const world = await openProxyWorld(t, {
    limits: { requestTimeoutMs: IDLE_MS, headTimeoutMs: IDLE_MS },
  })
  const client = await world.open()
  client.write(
    `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf`,
  )
  t.match(await readUntil(client), /^HTTP\/1\.1 408 /)
  client.destroy()
  await eventually(() => origin.open.size === 0)
  t.equal(origin.open.size, 0)
  await eventually(() => world.log.length === 1)
  t.equal(world.proxy.openExchanges, 0)
})

const countConnections = (world: ProxyWorld): Promise<number> =>
  new Promise(resolve => world.proxy.server.getConnections((_error, count) => resolve(count)))
