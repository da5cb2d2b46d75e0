import t, { type Test } from 'tap'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo, type Server } from 'node:net'
import type { Grant } from '../../src/policy/grant.ts'
import { SilenceWatch } from '../../src/proxy/silence.ts'
import { openTunnel as openRelay } from '../../src/proxy/tunnel.ts'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { aSnapshot, host } from '../support/snapshot.ts'

async function openServer(
  t: Test,
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, server }
}

/** The two ends of one connection. */
async function openPair(t: Test): Promise<[Socket, Socket]> {
  const { server, port } = await openServer(t, () => undefined)
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [far] = await accepted
  t.teardown(() => far.destroy())
  return [near, far]
}

async function openTunnel(
  world: ProxyWorld,
  port: number,
  name = 'free.test',
  early = '',
): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}\r\n\r\n${early}`)
  const head = await readUntil(socket, '\r\n\r\n')
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(head)
  return socket
}

t.test('bytes pass both ways, unchanged, also those sent before the tunnel stood', async t => {
  const { port } = await openServer(t, socket => socket.pipe(socket))
  const world = await openProxyWorld(t)
  const socket = await openTunnel(world, port, 'free.test', 'early ')
  socket.write('late')
  t.equal(await readUntil(socket, 'late'), 'early late')
  socket.end()
  await eventually(() => world.log.length === 1)
  t.match(world.log, [
    {
      method: 'CONNECT',
      host: 'free.test',
      port,
      verdict: 'allow',
      reason: 'default',
      status: 200,
    },
  ])
  t.ok(world.log[0]!.bytesUp >= 10 && world.log[0]!.bytesDown >= 10)
})

t.test(
  'nothing is lost or mixed up when one side reads slowly and the other writes fast',
  async t => {
    const bytes = randomBytes(8 << 20)
    const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    const { port } = await openServer(t, socket => {
      socket.once('data', () => socket.write(bytes))
      const got: Buffer[] = []
      socket.on('data', (chunk: Buffer) => {
        got.push(chunk)
        socket.pause()
        setTimeout(() => socket.resume(), 1)
      })
      socket.on('end', () => socket.end(sum(Buffer.concat(got))))
    })
    const world = await openProxyWorld(t)
    const socket = await openTunnel(world, port)
    const got: Buffer[] = []
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk)
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
    socket.write(bytes)
    socket.end()
    await once(socket, 'end')
    const all = Buffer.concat(got)
    t.equal(sum(all.subarray(0, bytes.length)), sum(bytes), 'down')
    t.equal(all.subarray(bytes.length).toString(), sum(bytes), 'up')
  },
)

t.test('a client that ends its sending still gets the answer', async t => {
  const { port } = await openServer(t, socket => {
    socket.resume()
    socket.on('end', () => setTimeout(() => socket.end('the answer'), 50))
  })
  const world = await openProxyWorld(t)
  const socket = await openTunnel(world, port)
  socket.end('the question')
  t.equal(await readUntil(socket), 'the answer')
})

t.test('an origin that closes is seen by the client at once', async t => {
  const { port } = await openServer(t, socket => setTimeout(() => socket.destroy(), 50))
  const world = await openProxyWorld(t)
  const socket = await openTunnel(world, port)
  await readUntil(socket)
  t.ok(socket.readableEnded, 'the client sees the end')
  socket.end()
  await eventually(() => world.proxy.openExchanges === 0)
  t.equal(world.proxy.openExchanges, 0)
})

t.test('a connection that breaks on one side breaks on the other', async t => {
  let broken = ''
  const { port } = await openServer(t, socket => {
    socket.resume()
    socket.on('error', (error: NodeJS.ErrnoException) => (broken = error.code ?? ''))
  })
  const world = await openProxyWorld(t)
  const socket = await openTunnel(world, port)
  socket.resetAndDestroy()
  await eventually(() => broken !== '')
  t.equal(broken, 'ECONNRESET')
})

t.test('a silent tunnel is closed after its time', async t => {
  const { port } = await openServer(t, socket => socket.resume())
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: 100 } })
  const socket = await openTunnel(world, port)
  await readUntil(socket)
  t.ok(socket.readableEnded || socket.destroyed)
})

t.test('an origin that stops reading does not keep a socket once its client has gone', async t => {
  const client = new Socket()
  const [near, far] = await openPair(t)
  const silence = new SilenceWatch(100)
  t.teardown(() => silence.close())
  openRelay(client, Buffer.alloc(0), near, { established: '', silence, exchange: { close() {} } })
  far.pause()
  near.write(Buffer.alloc(32 << 20))
  client.destroy()
  await eventually(() => near.destroyed)
  t.ok(near.destroyed)
})

t.test('a WebSocket passes inside a tunnel', async t => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(wss, 'listening')
  t.teardown(() => wss.close())
  wss.on('connection', socket =>
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)),
  )
  const { port } = wss.address() as AddressInfo
  const world = await openProxyWorld(t)
  const tunnel = await openTunnel(world, port)
  const client = new WebSocket(`ws://free.test:${port}/`, { createConnection: () => tunnel })
  await once(client, 'open')
  client.send('bonjour')
  const [message] = (await once(client, 'message')) as [Buffer]
  t.equal(message.toString(), 'echo bonjour')
  client.terminate()
})

t.test('a tunnel that fails to open is answered with its own status, never with 200', async t => {
  const world = await openProxyWorld(t, { connectPorts: [443, '1024-65535'] })
  const connectTo = (target: string) => world.raw(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.match(await connectTo('free.test:1025'), /^HTTP\/1\.1 502 /)
  t.match(await connectTo('nowhere.invalid:443'), /^HTTP\/1\.1 502 /)
  t.match(await connectTo('free.test:22'), /^HTTP\/1\.1 403 /, 'a port that is not for CONNECT')
  t.match(await connectTo('free.test'), /^HTTP\/1\.1 400 /, 'no port')
  await eventually(() => world.log.length === 4)
  // A line is written when its connection has closed, so their order is not that of the questions.
  t.strictSame(world.log.map(({ status, reason }) => `${status} ${reason}`).toSorted(), [
    '400 PREAU_BAD_TARGET',
    '403 PREAU_PORT_REFUSED',
    '502 PREAU_NAME_NOT_FOUND',
    '502 PREAU_UNREACHABLE',
  ])
})

t.test('what is cut at the end is in the log before the end', async t => {
  const { port } = await openServer(t, socket => socket.resume())
  const world = await openProxyWorld(t)
  await openTunnel(world, port)
  const refused = await world.open()
  refused.write('CONNECT games.test:8443 HTTP/1.1\r\nHost: x\r\n\r\n')
  await readUntil(refused, '\r\n\r\n')
  const waiting = await world.open()
  waiting.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
  await eventually(() => world.proxy.openExchanges === 2)
  t.equal(world.log.length, 0)
  await world.proxy.close()
  t.strictSame(world.log.map(({ method, status }) => `${method} ${status}`).toSorted(), [
    'CONNECT 200',
    'CONNECT 403',
    'GET 0',
  ])
})

const grant: Grant = {
  id: 'g1',
  host: host('games.test'),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'alice',
  at: 0,
  until: null,
}

t.test('a revoked grant cuts the tunnels that it held open, and only those', async t => {
  const { port } = await openServer(t, socket => socket.pipe(socket))
  const world = await openProxyWorld(t, { grants: [grant] })
  const granted = await openTunnel(world, port, 'games.test')
  const free = await openTunnel(world, port, 'free.test')
  world.current.swap(aSnapshot())
  await readUntil(granted)
  t.ok(granted.readableEnded || granted.destroyed)
  free.write('still here')
  t.equal(await readUntil(free, 'still here'), 'still here')
})

t.test('a grant that runs out cuts its tunnels within two seconds', async t => {
  const { port } = await openServer(t, socket => socket.pipe(socket))
  const world = await openProxyWorld(t, { grants: [{ ...grant, until: Date.now() + 300 }] })
  const granted = await openTunnel(world, port, 'games.test')
  const startedAt = Date.now()
  await readUntil(granted)
  t.ok(Date.now() - startedAt < 2_500)
})
