/** What browsers send for `ws://`: CONNECT to a port of plain HTTP, one handshake in it, and frames (RFC 6455 §4.1). */
import t from 'tap'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { aPolicy, aSnapshot } from '../support/snapshot.ts'
import { frame, handshake, openEcho } from '../support/websocket.ts'

const connectTo = (authority: string): string =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`
const ports = { connectPorts: [443] }

t.test('a WebSocket of a browser stands, and its talk is one exchange', async t => {
  const { port, paths } = await openEcho(t)
  const world = await openProxyWorld(t, ports)
  const socket = await world.open()
  socket.write(connectTo(`free.test:${port}`))
  t.equal(await readUntil(socket, '\r\n\r\n'), 'HTTP/1.1 200 Connection Established\r\n\r\n')
  socket.write(handshake('/chat?room=1', `free.test:${port}`))
  t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 101 [^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/)
  socket.write(frame('hi', { isMasked: true }))
  t.match(await readUntil(socket, 'echo hi'), /echo hi/)
  t.strictSame(paths, ['/chat?room=1'], 'the path arrives as it was asked')
  socket.end()
  await eventually(() => world.log.length === 1)
  t.match(world.log, [
    { method: 'CONNECT', host: 'free.test', port, status: 101, reason: 'default' },
  ])
})

t.test('a handshake that comes with its CONNECT in one piece is not lost', async t => {
  const { port } = await openEcho(t)
  const world = await openProxyWorld(t, ports)
  const socket = await world.open()
  const host = `free.test:${port}`
  socket.write(
    Buffer.concat([
      Buffer.from(connectTo(host) + handshake('/', host)),
      frame('early', { isMasked: true }),
    ]),
  )
  t.match(await readUntil(socket, 'echo early'), /200 [^]*101 [^]*echo early/)
})

t.test('a refused host is refused at its CONNECT, a refused page at its handshake', async t => {
  const { port, paths } = await openEcho(t)
  const world = await openProxyWorld(t, ports)
  t.match(await world.raw(connectTo(`games.test:${port}`)), /^HTTP\/1\.1 403 /)
  const listed = { pages: (_host: string, path?: string) => (path === '/jeux' ? ['games'] : []) }
  world.current.swap({ ...aSnapshot(), ...listed })
  const host = `free.test:${port}`
  t.match(
    await world.raw(connectTo(host) + handshake('/jeux', host)),
    /200 [^]*\r\n\r\nHTTP\/1\.1 403 /,
  )
  t.match(await world.raw(handshake(`http://${host}/jeux`, host)), /^HTTP\/1\.1 403 /)
  await eventually(() => world.log.length === 3)
  t.match(world.log, [
    { verdict: 'block', reason: 'PREAU_FORBIDDEN', status: 403 },
    { verdict: 'block', reason: 'PREAU_FORBIDDEN', status: 403 },
    { verdict: 'block', reason: 'PREAU_FORBIDDEN', status: 403 },
  ])
  t.strictSame(paths, [])
})

t.test(
  'an origin that does not switch answers for itself, and the tunnel ends with its answer',
  async t => {
    const origin = await openOrigin(t, (_request, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="salle"' }).end('who are you?')
    })
    const world = await openProxyWorld(t, ports)
    const host = `free.test:${origin.port}`
    const answer = await world.raw(connectTo(host) + handshake('/', host))
    t.match(answer, /\r\n\r\nHTTP\/1\.1 401 [^]*WWW-Authenticate: Basic[^]*who are you\?/)
    await eventually(() => world.log.length === 1)
    t.match(world.log, [{ status: 401 }])
  },
)

t.test('a profile may have no WebSocket in clear at all', async t => {
  const { port } = await openEcho(t)
  const policy = aPolicy()
  const world = await openProxyWorld(t, {
    ...ports,
    policy: { ...policy, profiles: policy.profiles.map(one => ({ ...one, webSockets: 'block' })) },
  })
  const host = `free.test:${port}`
  t.match(await world.raw(connectTo(host)), /^HTTP\/1\.1 403 /)
  t.match(await world.raw(handshake(`http://${host}/`, host)), /^HTTP\/1\.1 403 /)
  await eventually(() => world.log.length === 2)
  t.match(world.log, [{ reason: 'PREAU_PORT_REFUSED' }, { reason: 'PREAU_FORBIDDEN' }])
})

t.test('a WebSocket that stands is cut when the policy refuses its host', async t => {
  const { port } = await openEcho(t)
  const world = await openProxyWorld(t, ports)
  const socket = await world.open()
  const host = `free.test:${port}`
  socket.write(connectTo(host) + handshake('/', host))
  await readUntil(socket, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  world.current.swap(aSnapshot({ categories: () => ['games'] }))
  await readUntil(socket)
  t.equal(world.proxy.openExchanges, 0)
  world.current.swap(aSnapshot())
  const second = await world.open()
  second.write(connectTo(host) + handshake('/', host))
  await readUntil(second, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  const policy = aPolicy()
  const profiles = policy.profiles.map(one => ({ ...one, webSockets: 'block' as const }))
  world.current.swap(aSnapshot({ policy: { ...policy, profiles } }))
  await readUntil(second)
  t.equal(world.proxy.openExchanges, 0, 'or its profile loses all of them')
})

t.test('a tunnel on which no handshake comes is closed in time, or with its client', async t => {
  const world = await openProxyWorld(t, { ...ports, limits: { headTimeoutMs: 200 } })
  const silent = await world.open()
  silent.write(connectTo('free.test:8000'))
  await readUntil(silent, '\r\n\r\n')
  await readUntil(silent)
  t.strictSame(world.limited, ['headTimeoutMs'])
  const leaving = await world.open()
  leaving.write(connectTo('free.test:8000'))
  await readUntil(leaving, '\r\n\r\n')
  leaving.end()
  await eventually(() => world.log.length === 2)
  t.equal(world.log.length, 2)
})
