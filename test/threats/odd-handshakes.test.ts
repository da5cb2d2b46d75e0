/** Cases 73, 74, 78 and 84 of the catalogue: the TLS of a refused site, ended by us, with clients of every kind. */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls'
import { hello, serverName } from '../support/hello.ts'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'

async function connectTo(world: ProxyWorld, authority: string): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  return socket
}

/** The answer to a GET inside TLS, or why there is none. */
async function ask(world: ProxyWorld, options: ConnectionOptions, authority = 'games.test:8443') {
  const secure = tlsConnect({
    servername: 'games.test',
    ca: world.caPem,
    ...options,
    socket: await connectTo(world, authority),
  })
  try {
    await once(secure, 'secureConnect')
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
  secure.write('GET / HTTP/1.1\r\nHost: games.test\r\n\r\n')
  const answer = await readUntil(secure)
  return `${secure.getProtocol()} ${secure.alpnProtocol || '-'} ${/\d{3}/.exec(answer)?.[0]}`
}

t.test('old and new, with every ALPN: the page, or a clean end of the handshake', async t => {
  const world = await openProxyWorld(t)
  const old = { ciphers: 'DEFAULT@SECLEVEL=0' }
  const rows: [string, ConnectionOptions, RegExp][] = [
    ['no ALPN', {}, /^TLSv1\.3 - 403$/],
    ['h2 and http/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }, /^TLSv1\.3 http\/1\.1 403$/],
    ['h2 alone', { ALPNProtocols: ['h2'] }, /ALERT_NO_APPLICATION_PROTOCOL/],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, /^TLSv1\.2 - 403$/],
    ['TLS 1.2 and h2 alone', { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] }, /NO_APPLICATION/],
    ['TLS 1.3 alone', { minVersion: 'TLSv1.3' }, /^TLSv1\.3 - 403$/],
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ...old }, /^ERR_SSL_/],
    ['TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ...old }, /^ERR_SSL_/],
    ['a CA it does not know', { ca: [] }, /SELF_SIGNED|UNABLE_TO|ISSUER/],
  ]
  for (const [title, options, expected] of rows) t.match(await ask(world, options), expected, title)
  await eventually(() => world.log.length === rows.length)
  t.equal(world.log.length, rows.length, 'each has ended')
  t.match(await ask(world, {}), / 403$/, 'the next one is served')
})

t.test('whatever name the handshake gives, or none, it is never a tunnel', async t => {
  const world = await openProxyWorld(t)
  const any = { checkServerIdentity: () => undefined }
  for (const servername of ['', 'free.test', `${'a'.repeat(60)}.`.repeat(4) + 'test'])
    t.match(await ask(world, { servername, ...any }), / 403$/, servername)
  const address = await ask(world, { servername: '', ...any }, '192.0.2.7:8443')
  t.match(address, / 403$/, 'an address in place of a name')
})

t.test('a name made to break something names no certificate and no line of the log', async t => {
  const world = await openProxyWorld(t)
  const odd = [
    'a'.repeat(255),
    `${'a.'.repeat(127)}x`,
    '*.games.test',
    '"; drop table x; --',
    'games\r\nHost: x',
    '../../etc/passwd',
    '\xe9cole.test',
    'games.test\0.free.test',
    '__proto__',
    '',
  ]
  for (const name of odd) {
    const socket = await connectTo(world, 'games.test:8443')
    socket.write(hello({ extensions: [serverName(name)] }))
    const first = (await readUntil(socket)).charCodeAt(0)
    // An alert, or nothing: this hand-made hello offers no key, so that no handshake can go on.
    t.ok(Number.isNaN(first) || first === 0x15, JSON.stringify(name.slice(0, 30)))
  }
  await eventually(() => world.log.length === odd.length)
  for (const entry of world.log)
    t.match(entry, { host: 'games.test', verdict: 'block', hello: undefined })
  t.match(await ask(world, {}), / 403$/, 'the next one is served')
})

/** What Node's TLS says first. */
async function realHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = tlsConnect({ port, host: '127.0.0.1', servername: 'games.test' })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

t.test('a client that leaves at any byte of the handshake leaves nothing open', async t => {
  const world = await openProxyWorld(t)
  const bytes = await realHello()
  const places = [0, 1, 4, 5, 6, 43, 100, bytes.length >> 1, bytes.length - 1, bytes.length]
  const rounds = 20
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      places.map(async end => {
        const socket = await connectTo(world, 'games.test:8443')
        socket.write(bytes.subarray(0, end), () => {
          if (round % 3 === 0) socket.resetAndDestroy()
          else if (round % 3 === 1) socket.destroy()
          else socket.end()
        })
        if (round % 3 === 2) {
          await readUntil(socket)
          socket.destroy()
        }
      }),
    )
  }
  await eventually(() => world.log.length === rounds * places.length)
  t.equal(world.log.length, rounds * places.length)
  const open = await new Promise(resolve =>
    world.proxy.server.getConnections((_error, count) => resolve(count)),
  )
  t.equal(open, 0)
  t.match(await ask(world, {}), / 403$/, 'the next one is served')
})
