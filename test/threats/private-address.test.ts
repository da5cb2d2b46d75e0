/** No request reaches an address that is not public, however it is spelt, unless the city says so (SSRF). */
import t from 'tap'
import { createDial } from '../../src/proxy/dial.ts'
import { createAddressJudge, parseCidr } from '../../src/policy/address.ts'
import type { Host } from '../../src/policy/host.ts'
import { createResolver } from '../../src/proxy/resolver.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'

t.test('an inner address is refused in every spelling, in clear and in a tunnel', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  for (const name of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.1',
    '0',
    '0.0.0.0',
    '127.0.0.1.',
    '127.255.255.254',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:0:0:1]',
    '[::1%25lo]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'ip6-localhost',
    '１２７.0.0.1',
    '127%2e0.0.1',
    'x@127.0.0.1',
  ]) {
    const plain = await world.raw(
      Buffer.from(
        `GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      ),
    )
    t.match(plain, /^HTTP\/1\.1 (?:400|403|502) /, `GET ${name}`)
    const tunnel = await world.raw(
      Buffer.from(`CONNECT ${name}:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`),
      '\r\n\r\n',
    )
    // A refused target may get our own page inside TLS, never the origin's bytes.
    if (tunnel.startsWith('HTTP/1.1 200')) t.equal(world.refused.length >= 0, true)
    else t.match(tunnel, /^HTTP\/1\.1 (?:400|403|502) /, `CONNECT ${name}`)
  }
  t.equal(origin.requests.length, 0)
})

t.test('a name that leads inside is refused, also when it leads outside as well', async t => {
  const dialTo = (answers: string[]) =>
    createDial({
      hosts: {},
      addresses: createAddressJudge([]),
      resolve: async () => answers as Host[],
      isOwn: () => false,
      timeoutMs: 300,
    })({ host: host('rebind.test'), port: 9 })
  await t.rejects(dialTo(['10.0.0.1']), { code: 'PREAU_ADDRESS_NOT_PUBLIC' })
  await t.rejects(dialTo(['127.0.0.1', '::1', 'fe80::1']), { code: 'PREAU_ADDRESS_NOT_PUBLIC' })
  // 192.0.2.0/24 and friends are not public either; a public one alone is tried, and nothing answers here.
  await t.rejects(dialTo(['192.0.2.1']), { code: 'PREAU_ADDRESS_NOT_PUBLIC' })
})

t.test(
  'the address that was judged is the one that is reached: a second DNS answer is never asked for',
  async t => {
    const origin = await openOrigin(t)
    let asked = 0
    const dial = createDial({
      hosts: {},
      addresses: createAddressJudge([parseCidr('127.0.0.2')!]),
      // Public (here: permitted) at first, inner afterwards.
      resolve: async () => [asked++ === 0 ? '127.0.0.2' : '127.0.0.1'] as Host[],
      isOwn: () => false,
      timeoutMs: 1_000,
    })
    await t.rejects(
      dial({ host: host('rebind.test'), port: origin.port }),
      { code: 'PREAU_UNREACHABLE' },
      'nothing listens on 127.0.0.2',
    )
    t.equal(asked, 1)
  },
)

t.test('an address that the city permits is reached, and its neighbour is not', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { dialAllow: ['127.0.0.1/32'] })
  const get = (name: string) =>
    world.raw(`GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  t.match(await get('127.0.0.1'), /^HTTP\/1\.1 200/)
  t.match(await get('localhost'), /^HTTP\/1\.1 200/)
  t.match(await get('127.0.0.2'), /^HTTP\/1\.1 403/)
})

t.test('Préau never dials itself, even where loopback is permitted', async t => {
  const world = await openProxyWorld(t, { dialAllow: ['127.0.0.0/8'] })
  const get = await world.raw(
    `GET http://127.0.0.1:${world.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  )
  t.match(get, /^HTTP\/1\.1 403/)
  t.match(
    await world.raw(`CONNECT 127.0.0.1:${world.port} HTTP/1.1\r\nHost: a\r\n\r\n`),
    /^HTTP\/1\.1 403/,
  )
})

t.test(
  'a name with a fixed address is the city’s decision, in every spelling of the name',
  async t => {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    for (const name of ['free.test', 'FREE.test', 'free.test.']) {
      t.match(
        await world.raw(
          `GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
        ),
        /^HTTP\/1\.1 200/,
        name,
      )
    }
  },
)

t.test(
  'the resolver keeps few answers, for a short time, and failures for a shorter one',
  async t => {
    const resolve = createResolver({ servers: [], maxEntries: 3, ttlMs: 1_000, timeoutMs: 1_000 })
    t.ok((await resolve(host('localhost'))).length > 0)
    await t.rejects(resolve(host('nowhere.invalid')), { code: 'PREAU_NAME_NOT_FOUND' })
    await t.rejects(resolve(host('nowhere.invalid')), { code: 'PREAU_NAME_NOT_FOUND' })
  },
)
