/** No request reaches an address that is not public, however it is spelt, unless the city says so (SSRF). */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createDial } from '../../src/proxy/dial.ts'
import { createAddressJudge, parseCidr } from '../../src/policy/address.ts'
import type { Host } from '../../src/policy/host.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { dialled } from '../support/dialled.ts'
import { host } from '../support/snapshot.ts'

t.test('an inner address is refused in every spelling, in clear and in a tunnel', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  let connections = 0
  origin.server.on('connection', () => connections++)
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
    '①②⑦.⓪.⓪.①',
    '127.0.0.1%00',
    'free.test@127.0.0.1',
    '[::ffff:0:127.0.0.1]',
    '[::127.0.0.1]',
    '[fe80::1%lo]',
    '169.254.169.254',
    '[fd00:ec2::254]',
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
    // A refused target may get our own page inside TLS: that is the 200, and the count below tells it from a tunnel.
    t.match(tunnel, /^HTTP\/1\.1 (?:200|400|403|502) /, `CONNECT ${name}`)
  }
  t.equal(connections, 0, 'not one TCP connection reached the inner server')
})

t.test(
  'a name that leads inside is refused; one that leads outside as well goes outside only',
  async t => {
    const listen = async (address: string, port: number) => {
      let connections = 0
      const server = createServer(() => connections++).listen(port, address)
      await once(server, 'listening')
      t.teardown(() => server.close())
      return { port: (server.address() as AddressInfo).port, connections: () => connections }
    }
    const inner = await listen('127.0.0.1', 0)
    // 127.0.0.2 stands for the outside: it is permitted, its neighbour is not.
    const outer = await listen('127.0.0.2', inner.port)
    const dialTo = (answers: string[]) =>
      dialled(
        createDial({
          hosts: {},
          addresses: createAddressJudge([parseCidr('127.0.0.2')!]),
          resolver: { resolve: () => answers as Host[] },
          isOwn: () => false,
          timeoutMs: 2_000,
        }),
        { host: host('rebind.test'), port: inner.port },
      )
    await t.rejects(dialTo(['127.0.0.1']), { code: 'PREAU_ADDRESS_NOT_PUBLIC' })
    await t.rejects(dialTo(['127.0.0.1', '::1', 'fe80::1']), { code: 'PREAU_ADDRESS_NOT_PUBLIC' })
    for (const answers of [
      ['127.0.0.1', '127.0.0.2'],
      ['127.0.0.2', '127.0.0.1', '10.0.0.1'],
    ]) {
      const socket = await dialTo(answers)
      t.equal(socket.remoteAddress, '127.0.0.2')
      socket.destroy()
    }
    t.equal(inner.connections(), 0)
    t.ok(outer.connections() >= 1)
  },
)

t.test(
  'the address that was judged is the one that is reached: a second DNS answer is never asked for',
  async t => {
    const origin = await openOrigin(t)
    let asked = 0
    const dial = createDial({
      hosts: {},
      addresses: createAddressJudge([parseCidr('127.0.0.2')!]),
      // Public (here: permitted) at first, inner afterwards.
      resolver: { resolve: () => [asked++ === 0 ? '127.0.0.2' : '127.0.0.1'] as Host[] },
      isOwn: () => false,
      timeoutMs: 1_000,
    })
    await t.rejects(
      dialled(dial, { host: host('rebind.test'), port: origin.port }),
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
