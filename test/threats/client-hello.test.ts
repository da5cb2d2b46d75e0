/** Cases 45 to 51 of the catalogue: an innocent CONNECT that carries another site's TLS. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { LocalRule } from '../../src/policy/policy-document.ts'
import { decide } from '../../src/policy/verdict.ts'
import { Connection, Exchange } from '../../src/proxy/exchange.ts'
import { helloGate } from '../../src/proxy/hello-gate.ts'
import { hello, inRecords, serverName } from '../support/hello.ts'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { aPolicy, aSnapshot, host } from '../support/snapshot.ts'

/** An origin that remembers every byte and answers `ok` to the first. */
async function openRecorder(t: Test) {
  const heard: Buffer[] = []
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk)
      socket.write('ok')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard: () => Buffer.concat(heard) }
}

async function openTunnel(world: ProxyWorld, port: number, name = 'free.test'): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}\r\n\r\n`)
  const head = await readUntil(socket, '\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 200 /)
  return socket
}

const blocked = (name = 'games.test'): Buffer => hello({ extensions: [serverName(name)] })

t.test('the name of a refused site never leaves in the tunnel of another', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const spellings = ['games.test', 'GAMES.test', 'games.test.', 'www.games.test']
  for (const name of spellings) {
    const socket = await openTunnel(world, origin.port)
    socket.write(blocked(name))
    t.equal(await readUntil(socket), '', name)
  }
  await eventually(() => world.log.length === spellings.length)
  t.equal(origin.heard().length, 0, 'the origin heard nothing')
  for (const entry of world.log)
    t.match(entry, { host: 'free.test', hello: /games\.test$/, verdict: 'block' })
})

t.test('nor when it comes in pieces, of segments or of records', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const bytes = blocked()
  const pieces: Record<string, Buffer[]> = {
    'three segments': [bytes.subarray(0, 3), bytes.subarray(3, 50), bytes.subarray(50)],
    'one byte a segment': [...bytes].map(byte => Buffer.from([byte])),
    'three records': [inRecords(bytes, Math.ceil((bytes.length - 5) / 3))],
    'records in segments': [
      inRecords(bytes, 30).subarray(0, 33),
      inRecords(bytes, 30).subarray(33),
    ],
  }
  for (const [name, parts] of Object.entries(pieces)) {
    const socket = await openTunnel(world, origin.port)
    for (const part of parts) {
      socket.write(part)
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal(await readUntil(socket), '', name)
  }
  t.equal(origin.heard().length, 0)
})

t.test('nor when it comes with the CONNECT, before the answer', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const head = `CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: free.test\r\n\r\n`
  const answer = await world.raw(Buffer.concat([Buffer.from(head), blocked()]))
  t.notMatch(answer, /ok$/)
  t.equal(origin.heard().length, 0)
})

t.test('a TLS start that could be read in two ways is closed, and the next one served', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const odd = [
    hello({ extensions: [serverName('free.test'), serverName('games.test')] }),
    hello({ extensions: [serverName('games.test\0')] }),
    Buffer.from([22, 3, 1, 0, 2, 1, 0]),
    Buffer.from([22, 3, 1, 0, 0]),
  ]
  for (const bytes of odd) {
    const socket = await openTunnel(world, origin.port)
    socket.end(bytes)
    t.equal(await readUntil(socket), '')
  }
  t.equal(origin.heard().length, 0)
  const socket = await openTunnel(world, origin.port)
  socket.write(hello({ extensions: [serverName('free.test')] }))
  t.equal(await readUntil(socket, 'ok'), 'ok')
})

t.test('a ClientHello that does not come to an end is not waited for', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t, { limits: { helloTimeoutMs: 100 } })
  const socket = await openTunnel(world, origin.port)
  socket.write(blocked().subarray(0, 20))
  t.equal(await readUntil(socket), '')
  await eventually(() => world.log.length === 1)
  t.match(world.log[0], { reason: 'PREAU_HELLO_REFUSED' })
})

t.test('an allowed ClientHello passes byte for byte, small, large and encrypted', async t => {
  const world = await openProxyWorld(t)
  for (const bytes of [
    hello({ extensions: [serverName('free.test')] }),
    hello({ extensions: [serverName('free.test'), [21, Buffer.alloc(15_000, 1)]] }),
    hello({ extensions: [serverName('other.test'), [0xfe0d, Buffer.alloc(300, 2)]] }),
    hello({ extensions: [[0x0a0a, Buffer.alloc(1)]] }),
    inRecords(hello({ extensions: [serverName('free.test')] }), 40),
  ]) {
    const origin = await openRecorder(t)
    const socket = await openTunnel(world, origin.port)
    const half = bytes.length >> 1
    socket.write(bytes.subarray(0, half))
    await new Promise(resolve => setImmediate(resolve))
    socket.write(bytes.subarray(half))
    await readUntil(socket, 'ok')
    await eventually(() => origin.heard().length === bytes.length)
    t.ok(origin.heard().equals(bytes))
  }
})

t.test('a tunnel to a permitted address does not carry a refused name', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t, { dialAllow: ['127.0.0.0/8'] })
  const socket = await openTunnel(world, origin.port, '127.0.0.1')
  socket.write(blocked())
  t.equal(await readUntil(socket), '')
  t.equal(origin.heard().length, 0)
})

t.test('a real TLS client is cut off before its handshake', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const secure = tlsConnect({
    socket: await openTunnel(world, origin.port),
    servername: 'games.test',
  })
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
  t.match(error.code ?? '', /ECONNRESET|EPIPE/)
  t.equal(origin.heard().length, 0)
})

t.test('a site that is blocked later takes with it the tunnels that carry its name', async t => {
  const origin = await openRecorder(t)
  const world = await openProxyWorld(t)
  const socket = await openTunnel(world, origin.port)
  socket.write(hello({ extensions: [serverName('other.test')] }))
  t.equal(await readUntil(socket, 'ok'), 'ok')
  const rule = { host: host('other.test'), action: 'block' as const }
  world.current.swap(aSnapshot({ policy: aPolicy({ rules: [rule] }) }))
  await eventually(() => socket.readableEnded || socket.destroyed)
  t.ok(socket.readableEnded || socket.destroyed)
})

t.test('port 443 is for TLS, unless the profile or the rule of that host allows more', async t => {
  const exchange = (tunnels: 'tls' | 'any', rules: LocalRule[] = []): Exchange => {
    const policy = aPolicy()
    const profiles = policy.profiles.map(profile => ({ ...profile, tunnels }))
    const snapshot = aSnapshot({ policy: { ...policy, profiles, rules } })
    const client = snapshot.networks(host('10.1.0.1'))
    const connection = new Connection(undefined as never)
    const now = Date.now()
    const opened = new Exchange(
      { connection, method: 'CONNECT', client, snapshot, now, decide },
      () => undefined,
    )
    opened.judge({ host: host('free.test'), port: 443 }, () => true)
    return opened
  }
  for (const text of ['SSH-2.0-OpenSSH\r\n', 'GET / HTTP/1.1\r\nHost: games.test\r\n\r\n']) {
    const refused = exchange('tls')
    t.equal(helloGate(refused, 0, () => undefined).admit(Buffer.from(text)), 'refuse')
    t.equal(refused.failure, 'PREAU_NOT_TLS')
    t.equal(helloGate(exchange('any'), 0, () => undefined).admit(Buffer.from(text)), 'pass')
    for (const [name, answer] of Object.entries({ 'free.test': 'pass', 'turn.test': 'refuse' })) {
      const rule: LocalRule = { host: host(name), action: 'allow', tunnels: 'any' }
      const ruled = exchange('tls', [rule])
      t.equal(helloGate(ruled, 0, () => undefined).admit(Buffer.from(text)), answer, name)
    }
  }
})
