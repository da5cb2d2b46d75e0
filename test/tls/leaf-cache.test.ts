import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { PreauError } from '../../src/errors.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { openAuthority, type Authority } from '../../src/tls/authority.ts'
import { createLeafCache } from '../../src/tls/leaf-cache.ts'

const NOW = Date.now()
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const h = (text: string): Host => parseHost(text) as Host

const realAuthority = (t: Test): Promise<Authority> =>
  openAuthority(join(t.testdir(), 'ca'), { cityName: 'Remiremont', now: NOW })

/** Counts what is issued, and gives the same certificate each time. */
async function countingAuthority(t: Test) {
  const leaf = await (await realAuthority(t)).issueLeaf(h('stub.example'), NOW)
  const issued: string[] = []
  const authority = {
    issueLeaf(host: Host, now: number) {
      issued.push(host)
      return Promise.resolve({ ...leaf, notAfter: now + 88 * DAY_MS })
    },
  }
  return { authority, issued }
}

/** A server on loopback that shows every visitor the certificate of `host`. */
async function serve(t: Test, contextFor: () => Promise<tls.SecureContext>): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    void contextFor().then(secureContext => {
      const secure = new tls.TLSSocket(socket, { isServer: true, secureContext })
      secure.on('error', () => undefined)
      secure.once('data', () => {
        secure.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\nfiltre')
      })
    })
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function handshake(port: number, host: Host, options: tls.ConnectionOptions) {
  const servername = /^[\d.]+$|:/.test(host) ? '' : host
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    ...options,
    servername,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
  })
  try {
    await once(socket, 'secureConnect')
    return { authorized: socket.authorized, protocol: socket.getProtocol() }
  } finally {
    socket.destroy()
  }
}

t.test('a browser that trusts the authority accepts the certificate of a blocked host', async t => {
  const authority = await realAuthority(t)
  const cache = createLeafCache(authority, { max: 10, perMinute: 0, clock: () => NOW })
  for (const name of ['jeux.example', 'mon_site.jeux.example', '192.0.2.7', '2001:db8::7']) {
    const port = await serve(t, () => cache.contextFor(h(name)))
    const trusted = await handshake(port, h(name), { ca: authority.caPem })
    t.same(trusted, { authorized: true, protocol: 'TLSv1.3' }, name)
  }
  const port = await serve(t, () => cache.contextFor(h('jeux.example')))
  const older = { ca: authority.caPem, maxVersion: 'TLSv1.2' } as const
  t.equal((await handshake(port, h('jeux.example'), older)).protocol, 'TLSv1.2')
  await t.rejects(handshake(port, h('autre.example'), { ca: authority.caPem }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
  await t.rejects(handshake(port, h('jeux.example'), {}), 'and nobody else does')
  const oldest = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  } as const
  await t.rejects(handshake(port, h('jeux.example'), { ca: authority.caPem, ...oldest }), 'TLS 1.1')
})

t.test('curl accepts it too', async t => {
  const authority = await realAuthority(t)
  const cache = createLeafCache(authority, { max: 10, perMinute: 0, clock: () => NOW })
  const caFile = join(t.testdir(), 'trusted.pem')
  writeFileSync(caFile, authority.caPem)
  for (const name of ['jeux.example', 'mon_site.jeux.example']) {
    const port = await serve(t, () => cache.contextFor(h(name)))
    const { stdout } = await promisify(execFile)('curl', [
      '-sS',
      '--noproxy',
      '*',
      '--max-time',
      '10',
      '--cacert',
      caFile,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{ssl_verify_result}',
      '--resolve',
      `${name}:${port}:127.0.0.1`,
      `https://${name}:${port}/`,
    ])
    t.equal(stdout, '403 0', name)
  }
})

t.test('fifty hosts have fifty certificates, each asked for once', async t => {
  const authority = await realAuthority(t)
  let issued = 0
  const counting = {
    issueLeaf: (host: Host, now: number) => {
      issued += 1
      return authority.issueLeaf(host, now)
    },
  }
  const cache = createLeafCache(counting, { max: 100, perMinute: 0, clock: () => NOW })
  const hosts = Array.from({ length: 50 }, (_, i) => h(`h${i}.example`))
  const contexts = await Promise.all(hosts.map(host => cache.contextFor(host)))
  t.equal(new Set(contexts).size, 50)
  for (const [i, host] of hosts.entries()) t.equal(await cache.contextFor(host), contexts[i])
  t.equal(issued, 50)
})

t.test('visitors of one host at the same moment share one certificate', async t => {
  const { authority, issued } = await countingAuthority(t)
  const cache = createLeafCache(authority, { max: 10, perMinute: 1, clock: () => NOW })
  const contexts = await Promise.all(
    Array.from({ length: 100 }, () => cache.contextFor(h('a.example'))),
  )
  t.equal(new Set(contexts).size, 1)
  t.same(issued, ['a.example'])
})

t.test(
  'ten thousand hosts asked for at once leave no more than the bound, the last ones',
  async t => {
    for (const [max, kept] of [
      [100, 100],
      [0, 2_000],
    ] as const) {
      let issued = 0
      const slow = {
        issueLeaf() {
          issued += 1
          return new Promise<never>(() => undefined)
        },
      }
      const cache = createLeafCache(slow, { max, perMinute: 0, clock: () => NOW })
      const ask = (i: number) => void cache.contextFor(h(`h${i}.example`))
      for (let i = 0; i < 10_000; i++) ask(i)
      t.equal(issued, 10_000)
      for (let i = 10_000 - kept; i < 10_000; i++) ask(i)
      t.equal(issued, 10_000, `the last ${kept} are kept`)
      ask(10_000 - kept - 1)
      t.equal(issued, 10_001, 'the one before them is not')
    }
  },
)

t.test('certificates that are ready leave under the same bound', async t => {
  const { authority, issued } = await countingAuthority(t)
  const cache = createLeafCache(authority, { max: 10, perMinute: 0, clock: () => NOW })
  for (let i = 0; i < 11; i++) await cache.contextFor(h(`h${i}.example`))
  await cache.contextFor(h('h1.example'))
  t.equal(issued.length, 11)
  await cache.contextFor(h('h0.example'))
  t.equal(issued.length, 12, 'the first had to leave')
})

t.test('new hosts beyond the pace are refused, known ones are served, and it recovers', async t => {
  const { authority, issued } = await countingAuthority(t)
  let now = NOW
  const cache = createLeafCache(authority, { max: 1_000, perMinute: 60, clock: () => now })
  for (let i = 0; i < 60; i++) await cache.contextFor(h(`h${i}.example`))
  await t.rejects(cache.contextFor(h('new.example')), { code: 'PREAU_OVERLOADED' })
  await t.resolves(cache.contextFor(h('h3.example')))
  now += 999
  await t.rejects(cache.contextFor(h('new.example')), { code: 'PREAU_OVERLOADED' })
  now += 1
  await t.resolves(cache.contextFor(h('new.example')), 'one a second')
  await t.rejects(cache.contextFor(h('newer.example')), { code: 'PREAU_OVERLOADED' })
  now -= 10 * MINUTE_MS
  await t.rejects(cache.contextFor(h('newer.example')), { code: 'PREAU_OVERLOADED' })
  now += 60 * MINUTE_MS
  const before = issued.length
  for (let i = 0; i < 60; i++) await cache.contextFor(h(`k${i}.example`))
  await t.rejects(cache.contextFor(h('k60.example')), 'an hour of silence is worth one minute')
  t.equal(issued.length, before + 60)
})

t.test('a certificate is renewed well before its end', async t => {
  const { authority, issued } = await countingAuthority(t)
  let now = NOW
  const cache = createLeafCache(authority, { max: 10, perMinute: 0, clock: () => now })
  const first = await cache.contextFor(h('a.example'))
  now += 43 * DAY_MS
  t.equal(await cache.contextFor(h('a.example')), first)
  now += 2 * DAY_MS
  t.not(await cache.contextFor(h('a.example')), first)
  t.equal(issued.length, 2)
})

t.test('a failure is told to all who wait, and not kept', async t => {
  const { authority } = await countingAuthority(t)
  let failures = 1
  const flaky = {
    issueLeaf(host: Host, now: number) {
      if (failures-- > 0) return Promise.reject(new PreauError('PREAU_CA_UNREADABLE'))
      return authority.issueLeaf(host, now)
    },
  }
  const cache = createLeafCache(flaky, { max: 10, perMinute: 0, clock: () => NOW })
  const waiting = [cache.contextFor(h('a.example')), cache.contextFor(h('a.example'))]
  for (const one of waiting) await t.rejects(one, { code: 'PREAU_CA_UNREADABLE' })
  await t.resolves(cache.contextFor(h('a.example')))
})

t.test('after a restart the same host has another serial', async t => {
  const authority = await realAuthority(t)
  const serial = async () =>
    new X509Certificate((await authority.issueLeaf(h('a.example'), NOW)).certPem).serialNumber
  t.not(await serial(), await serial())
})
