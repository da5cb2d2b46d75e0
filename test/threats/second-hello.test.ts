/** Issue 13, S3: a server may ask for a second ClientHello, and some choose the site by it. It is judged like the first. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls'
import { runProgram } from '../support/product.ts'
import { hello, inRecords, serverName } from '../support/hello.ts'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'

const RETRY_RANDOM = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
)
const CHANGE_CIPHER_SPEC = Buffer.from([20, 3, 3, 0, 1, 1])
const earlyData = (length: number): Buffer =>
  Buffer.concat([Buffer.from([23, 3, 3, length >> 8, length & 255]), Buffer.alloc(length, 9)])

/** The beginning of a ServerHello, in one record; with the random of a HelloRetryRequest or another. */
function serverHello(random: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([3, 3]), random, Buffer.from([0, 0x13, 0x01, 0, 0, 0])])
  const message = Buffer.concat([Buffer.from([2, 0, 0, body.length]), body])
  return Buffer.concat([Buffer.from([22, 3, 3, 0, message.length]), message])
}
const RETRY = serverHello(RETRY_RANDOM)
const ORDINARY = serverHello(Buffer.alloc(32, 5))
const named = (name: string): Buffer => hello({ extensions: [serverName(name)] })

/** An origin that keeps what it hears, and says what a test tells it. */
async function openServer(t: Test) {
  const heard: Buffer[] = []
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => heard.push(chunk))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    heard: () => Buffer.concat(heard),
    say: (bytes: Buffer) => sockets.at(-1)?.write(bytes),
  }
}

async function openTunnel(world: ProxyWorld, port: number): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: free.test:${port}\r\n\r\n`)
  t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 200 /)
  return socket
}

const first = named('free.test')

t.test('a second ClientHello that asks for another site ends the tunnel, unheard', async t => {
  const world = await openProxyWorld(t)
  const seconds: Record<string, Buffer> = {
    'a refused site': named('games.test'),
    'an allowed one': named('other.test'),
    none: hello({ extensions: [] }),
    'behind the message of compatibility': Buffer.concat([CHANGE_CIPHER_SPEC, named('games.test')]),
    'in crumbs': inRecords(named('games.test'), 40),
    'too long to be judged': hello({
      extensions: [serverName('games.test'), [21, Buffer.alloc(20_000)]],
    }),
  }
  for (const [name, second] of Object.entries(seconds)) {
    const server = await openServer(t)
    const socket = await openTunnel(world, server.port)
    socket.write(first)
    await eventually(() => server.heard().length === first.length)
    server.say(RETRY)
    await readUntil(socket, RETRY.toString('latin1').slice(-6))
    socket.write(second)
    t.equal(await readUntil(socket), '', name)
    const heard = server.heard().toString('latin1')
    t.notMatch(heard, 'games.test', name)
  }
  await eventually(() => world.log.length === Object.keys(seconds).length)
  for (const entry of world.log) t.match(entry, { reason: 'PREAU_HELLO_REFUSED' })
})

t.test('nor is it heard when the client does not wait to be asked', async t => {
  const world = await openProxyWorld(t)
  for (const between of [Buffer.alloc(0), CHANGE_CIPHER_SPEC, earlyData(3_000)]) {
    const server = await openServer(t)
    const socket = await openTunnel(world, server.port)
    socket.write(Buffer.concat([first, between, named('games.test')]))
    t.equal(await readUntil(socket), '')
    t.notMatch(server.heard().toString('latin1'), 'games.test')
  }
  const server = await openServer(t)
  const socket = await openTunnel(world, server.port)
  // Both messages in one record: what a server reads from its buffer once it has asked.
  const both = Buffer.concat([first.subarray(5), named('games.test').subarray(5)])
  socket.write(Buffer.concat([Buffer.from([22, 3, 1, both.length >> 8, both.length & 255]), both]))
  t.equal(await readUntil(socket), '')
  t.equal(server.heard().length, 0)
})

t.test('early data goes on before the server has spoken, whole and in order', async t => {
  const world = await openProxyWorld(t)
  const server = await openServer(t)
  const socket = await openTunnel(world, server.port)
  const sent = Buffer.concat([first, CHANGE_CIPHER_SPEC, earlyData(16_000), earlyData(7)])
  for (let at = 0; at < sent.length; at += 1_000) {
    socket.write(sent.subarray(at, at + 1_000))
    await new Promise(resolve => setImmediate(resolve))
  }
  await eventually(() => server.heard().length === sent.length)
  t.ok(server.heard().equals(sent))
  server.say(ORDINARY)
  await readUntil(socket, ORDINARY.toString('latin1').slice(-6))
  // Of a TLS 1.2 that is resumed: an encrypted record of a handshake, whose first byte may be any.
  const encrypted = Buffer.from([22, 3, 3, 0, 6, 1, 2, 3, 4, 5, 6])
  socket.write(encrypted)
  await eventually(() => server.heard().length === sent.length + encrypted.length)
  t.ok(server.heard().subarray(sent.length).equals(encrypted))
})

t.test(
  'a client that gives up tells the server so, and is not said to have hidden anything',
  async t => {
    const world = await openProxyWorld(t)
    const server = await openServer(t)
    const socket = await openTunnel(world, server.port)
    socket.write(first)
    await eventually(() => server.heard().length === first.length)
    server.say(RETRY)
    await readUntil(socket, RETRY.toString('latin1').slice(-6))
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40])
    socket.end(alert)
    await eventually(() => server.heard().length === first.length + alert.length)
    t.ok(server.heard().subarray(first.length).equals(alert))
    socket.destroy()
    await eventually(() => world.log.length === 1)
    t.match(world.log[0], { verdict: 'allow', reason: 'default' })
  },
)

t.test('a real handshake with a retry works, and so do its bytes', async t => {
  const dir = t.testdir()
  const made = await runProgram('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' '),
    '-subj',
    '/CN=free.test',
    '-keyout',
    `${dir}/key.pem`,
    '-out',
    `${dir}/cert.pem`,
  ])
  t.equal(made.code, 0)
  const server = createTlsServer(
    {
      key: readFileSync(`${dir}/key.pem`),
      cert: readFileSync(`${dir}/cert.pem`),
      minVersion: 'TLSv1.3',
      // The client offers no key for this one: the server must ask again.
      ecdhCurve: 'P-521',
    },
    socket => socket.pipe(socket),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const world = await openProxyWorld(t)
  const secure = tlsConnect({
    socket: await openTunnel(world, (server.address() as AddressInfo).port),
    servername: 'free.test',
    ecdhCurve: 'X25519:P-521',
    rejectUnauthorized: false,
  })
  const echoed = new Promise<string>(resolve => secure.once('data', data => resolve(String(data))))
  secure.write('hello behind a retry')
  t.equal(await echoed, 'hello behind a retry')
  secure.destroy()
})
