import t from 'tap'
import { once } from 'node:events'
import { createServer as createTlsServer, connect as tlsConnect, type TLSSocket } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import { openAuthority } from '../../src/tls/authority.ts'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { aSnapshot, host } from '../support/snapshot.ts'

async function connectTo(world: ProxyWorld, authority: string): Promise<Socket> {
  const socket = await world.open()
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  const head = await readUntil(socket, '\r\n\r\n')
  t.equal(
    head,
    'HTTP/1.1 200 Connection Established\r\n\r\n',
    'not a byte more: Chromium would give up',
  )
  return socket
}

async function secure(
  world: ProxyWorld,
  socket: Socket,
  servername: string,
  options: object = {},
): Promise<TLSSocket> {
  const tls = tlsConnect({
    socket,
    servername,
    ca: world.caPem,
    ALPNProtocols: ['h2', 'http/1.1'],
    ...options,
  })
  await once(tls, 'secureConnect')
  return tls
}

t.test(
  'a refused site shows the page inside TLS, under a certificate for exactly that name',
  async t => {
    const world = await openProxyWorld(t)
    const tls = await secure(world, await connectTo(world, 'www.games.test:8443'), 'www.games.test')
    t.ok(tls.authorized)
    t.equal(tls.getPeerCertificate().subjectaltname, 'DNS:www.games.test')
    t.equal(tls.alpnProtocol, 'http/1.1')
    tls.write('GET /chess HTTP/1.1\r\nHost: www.games.test\r\n\r\n')
    t.match(await readUntil(tls), /^HTTP\/1\.1 403 [\s\S]*refused page/)
    t.match(world.refused, [
      {
        scheme: 'https',
        target: { host: 'www.games.test', port: 8443 },
        verdict: { category: 'games' },
      },
    ])
    await eventually(() => world.log.length === 1)
    t.match(world.log, [
      {
        method: 'CONNECT',
        host: 'www.games.test',
        verdict: 'block',
        status: 403,
        category: 'games',
      },
    ])
  },
)

t.test(
  'the certificate is for the name of the CONNECT, whatever name the handshake gives',
  async t => {
    const world = await openProxyWorld(t)
    for (const servername of ['free.test', '']) {
      const socket = await connectTo(world, 'games.test:8443')
      const tls = tlsConnect({
        socket,
        servername,
        ca: world.caPem,
        checkServerIdentity: () => undefined,
      })
      await once(tls, 'secureConnect')
      t.equal(tls.getPeerCertificate().subjectaltname, 'DNS:games.test', servername)
      tls.destroy()
    }
  },
)

t.test(
  'an allowed tunnel is never decrypted: the origin’s own certificate arrives byte for byte',
  async t => {
    const elsewhere = await openAuthority(t.testdir({ ca: {} }) + '/ca', {
      cityName: 'Elsewhere',
      now: Date.now(),
    })
    const { certPem, keyPem } = await elsewhere.issueLeaf(host('free.test'), Date.now())
    const origin = createTlsServer({ cert: certPem, key: keyPem }, socket =>
      socket.end('from the origin'),
    )
    origin.listen(0, '127.0.0.1')
    await once(origin, 'listening')
    t.teardown(() => origin.close())
    const { port } = origin.address() as AddressInfo
    const world = await openProxyWorld(t)
    const tls = await secure(world, await connectTo(world, `free.test:${port}`), 'free.test', {
      ca: elsewhere.caPem,
    })
    const { X509Certificate } = await import('node:crypto')
    t.ok(tls.getPeerX509Certificate()?.raw.equals(new X509Certificate(certPem).raw))
    t.equal(await readUntil(tls), 'from the origin')
    t.equal(world.refused.length, 0)
  },
)

t.test('what speaks no TLS to a refused site gets a short answer and a closed door', async t => {
  const world = await openProxyWorld(t)
  const socket = await connectTo(world, 'games.test:8443')
  socket.write('SSH-2.0-OpenSSH\r\n')
  t.match(await readUntil(socket), /^HTTP\/1\.1 403 /)
})

t.test('without a CA a refused CONNECT is answered 403', async t => {
  const world = await openProxyWorld(t, { withoutCa: true })
  t.match(
    await world.raw('CONNECT games.test:8443 HTTP/1.1\r\nHost: x\r\n\r\n'),
    /^HTTP\/1\.1 403 /,
  )
})

t.test(
  'a site opened meanwhile is asked for again on a new connection, not served on this one',
  async t => {
    const world = await openProxyWorld(t)
    const tls = await secure(world, await connectTo(world, 'games.test:8443'), 'games.test')
    world.current.swap(aSnapshot({ categories: () => [] }))
    tls.write('GET /chess?x=1 HTTP/1.1\r\nHost: games.test\r\n\r\n')
    const answer = await readUntil(tls)
    t.match(answer, /^HTTP\/1\.1 307 /)
    t.match(answer, /location: https:\/\/games\.test:8443\/chess\?x=1\r\n/i)
    t.match(answer, /connection: close/i)
  },
)

t.test(
  'once the site is open, our own form and a path like //elsewhere lead to that site',
  async t => {
    const world = await openProxyWorld(t, { connectPorts: [443] })
    const ask = async (line: string): Promise<string> => {
      world.current.swap(aSnapshot())
      const tls = await secure(world, await connectTo(world, 'games.test:443'), 'games.test')
      world.current.swap(aSnapshot({ categories: () => [] }))
      tls.write(`${line} HTTP/1.1\r\nHost: games.test\r\nContent-Length: 0\r\n\r\n`)
      return readUntil(tls)
    }
    t.match(
      await ask('POST /.preau/unblock'),
      /^HTTP\/1\.1 303 [^]*location: https:\/\/games\.test\/\r\n/i,
      'as a GET: the click is not sent on to the site',
    )
    t.match(
      await ask('GET //elsewhere.test/'),
      /location: https:\/\/games\.test\/\/elsewhere\.test\//i,
    )
  },
)

t.test('a page on which nothing moves any more gives its sockets back', async t => {
  const world = await openProxyWorld(t, {
    connectPorts: [443],
    limits: { tunnelIdleTimeoutMs: 100 },
  })
  await secure(world, await connectTo(world, 'games.test:443'), 'games.test')
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ method: 'CONNECT', status: 403 }])
})

t.test('a handshake without a request, or with half of one, is not waited for', async t => {
  const world = await openProxyWorld(t, { limits: { headTimeoutMs: 100 }, connectPorts: [443] })
  for (const text of [
    '',
    'GET / HT',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf',
  ]) {
    const tls = await secure(world, await connectTo(world, 'games.test:443'), 'games.test')
    if (text) tls.write(text)
    await readUntil(tls)
    t.ok(tls.readableEnded || tls.destroyed, JSON.stringify(text))
  }
})

t.test('a client that leaves in the middle of the handshake leaves nothing behind', async t => {
  const world = await openProxyWorld(t)
  for (const bytes of ['', '\x16', '\x16\x03\x01\x02\x00\x01', '\x16garbage'.repeat(50)]) {
    const before = world.log.length
    const socket = await connectTo(world, 'games.test:8443')
    if (bytes) socket.write(Buffer.from(bytes, 'latin1'))
    await new Promise(resolve => setTimeout(resolve, 20))
    socket.destroy()
    await eventually(() => world.log.length > before)
    t.equal(world.log.length, before + 1, JSON.stringify(bytes.slice(0, 8)))
  }
})

t.test('a handshake that does not come is not waited for', async t => {
  const world = await openProxyWorld(t, { limits: { helloTimeoutMs: 100 } })
  const socket = await connectTo(world, 'games.test:8443')
  await readUntil(socket)
  t.ok(socket.readableEnded || socket.destroyed)
})
