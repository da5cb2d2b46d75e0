/** Issue 13, S16, S22 and S25: a panel reached in the clear from another machine, or under a name that is not its own. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer, get as httpGet, type IncomingMessage, type ServerResponse } from 'node:http'
import { get as httpsGet } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { createArrivals } from '../../src/admin/arrival.ts'
import { configSchema, type Config } from '../../src/config.ts'
import { openAuthority } from '../../src/tls/authority.ts'
import { createLeafCache } from '../../src/tls/leaf-cache.ts'
import { openWorld } from '../admin/world.ts'

const configOf = (admin: Partial<Config['admin']> = {}): Config => configSchema.parse({ admin })

/** What becomes of a request that seems to come from `peer`: loopback is all that a test may really come from. */
async function arriving(t: Test, admin: Partial<Config['admin']>, hasTls = true) {
  const { admit } = createArrivals(configOf(admin), hasTls)
  let peer = ''
  const handler = admit((_request: IncomingMessage, response: ServerResponse) =>
    response.end('panel'),
  )
  const server = createServer((request, response) => {
    Object.defineProperty(request.socket, 'remoteAddress', { value: peer, configurable: true })
    handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return async (from: string, host: string, path = '/', method = 'GET') => {
    peer = from
    const [answer] = (await once(
      httpGet({ port, host: '127.0.0.1', path, method, headers: { host }, agent: false }),
      'response',
    )) as [IncomingMessage]
    answer.resume()
    return { status: answer.statusCode, location: answer.headers.location }
  }
}

t.test(
  'from another machine the panel is read over TLS, and no form is taken in the clear',
  async t => {
    const ask = await arriving(t, { names: ['filtre.ville.example'] })
    t.match(await ask('10.1.2.3', 'filtre.ville.example:8080', '/sign-in?next=%2F'), {
      status: 308,
      location: 'https://filtre.ville.example:8080/sign-in?next=%2F',
    })
    t.match(await ask('10.1.2.3', '10.9.9.9:8080', '/sign-in', 'POST'), { status: 403 })
    t.match(await ask('10.1.2.3', '10.9.9.9:8080', '/readyz'), { status: 200 }, 'monitoring may')
    t.match(await ask('127.0.0.1', 'localhost:8080'), { status: 200 }, 'the machine itself may')
  },
)

t.test('without a CA nobody signs in from elsewhere', async t => {
  const ask = await arriving(t, {}, false)
  t.match(await ask('10.1.2.3', '10.9.9.9:8080'), { status: 403 })
})

t.test('a reverse proxy that is trusted has its own TLS, and its own names', async t => {
  const ask = await arriving(t, { trustedProxies: ['10.5.0.0/16'] })
  t.match(await ask('10.5.0.1', 'filtre.ville.example'), { status: 200 })
  t.match(await ask('10.1.2.3', 'filtre.ville.example'), { status: 421 }, 'nobody else has them')
})

t.test('a name that is not its own gets nothing (DNS rebinding)', async t => {
  const ask = await arriving(t, { names: ['filtre.ville.example'] })
  for (const name of ['evil.example', 'filtre.ville.example.evil.example', 'xn--', '<b>'])
    t.match(await ask('127.0.0.1', name), { status: 421 }, name)
  for (const name of [
    'FILTRE.ville.example',
    'filtre.ville.example.',
    '127.0.0.1:8080',
    '[::1]:80',
  ])
    t.match(await ask('127.0.0.1', name), { status: 200 }, name)
})

async function openTlsPanel(t: Test) {
  const now = Date.now()
  const authority = await openAuthority(t.testdir(), { cityName: 'Testville', now })
  const leaves = createLeafCache(authority, { max: 10, perMinute: 0, clock: Date.now })
  const world = await openWorld(t, { contextFor: host => leaves.contextFor(host) })
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  return { port: (world.app.server.address() as AddressInfo).port, ca: authority.caPem }
}

t.test('the port of the panel speaks both, with a certificate of the city', async t => {
  const { port, ca } = await openTlsPanel(t)
  for (const host of ['127.0.0.1', 'localhost']) {
    const [answer] = (await once(
      httpsGet({ host, port, ca, path: '/sign-in', agent: false }),
      'response',
    )) as [IncomingMessage]
    answer.resume()
    t.equal(answer.statusCode, 200, host)
    t.match(answer.headers['set-cookie']?.[0], /Secure/, 'its cookies travel over TLS only')
  }
  const plain = await fetch(`http://127.0.0.1:${port}/sign-in`)
  t.equal(plain.status, 200)
})

t.test('a foreign name gets no certificate of its own, and no handshake twice', async t => {
  const { port, ca } = await openTlsPanel(t)
  const secure = tlsConnect({
    port,
    host: '127.0.0.1',
    servername: 'www.bank.example',
    ca,
    maxVersion: 'TLSv1.2',
    checkServerIdentity: () => undefined,
  })
  await once(secure, 'secureConnect')
  t.match(secure.getPeerCertificate().subjectaltname, /127\.0\.0\.1/)
  const refused = new Promise<boolean>(resolve => {
    secure.once('error', () => resolve(true))
    secure.once('close', () => resolve(true))
    secure.renegotiate({}, error => resolve(error !== null))
  })
  t.ok(await refused, 'a renegotiation is refused')
  secure.destroy()
})

t.test('a connection that says nothing, or half a hello, harms nobody', async t => {
  const { port, ca } = await openTlsPanel(t)
  for (const bytes of ['', '\x16', '\x16\x03\x01\x00\x05hello']) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(bytes, 'latin1')
    await once(socket.resume(), 'close')
  }
  const [answer] = (await once(
    httpsGet({ host: '127.0.0.1', port, ca, path: '/healthz', agent: false }),
    'response',
  )) as [IncomingMessage]
  answer.resume()
  t.equal(answer.statusCode, 200)
})
