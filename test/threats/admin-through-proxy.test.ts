/** A pupil does not reach the admin app through the proxy, by any name or address of this machine, whatever is permitted. */
import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createDial } from '../../src/proxy/dial.ts'
import { isOwnAddress } from '../../src/main/own-address.ts'
import type { Host } from '../../src/policy/host.ts'
import { openWorld } from '../admin/world.ts'
import { dialled } from '../support/dialled.ts'
import { openProxyWorld } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'
import { handshake } from '../support/websocket.ts'

const own = Object.values(networkInterfaces())
  .flatMap(list => list ?? [])
  .map(({ address, family }) => (family === 'IPv6' ? `[${address.replace(/%.*/, '')}]` : address))
const NAMES = [
  ...new Set(own),
  ...own.filter(address => !address.startsWith('[')).map(address => `[::ffff:${address}]`),
  '127.0.0.1',
  '127.9.9.9',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:7f00:1]',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  'localhost',
  'LOCALHOST.',
  'free.test',
  'preau.internal',
]

/** The configuration refuses the whole Internet in one piece. */
const EVERYWHERE = ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1']

t.test(
  'its port is refused under every name, even where inner addresses are permitted',
  async t => {
    const admin = await openWorld(t)
    await admin.app.listen({ host: '0.0.0.0', port: 0 })
    const { port } = admin.app.server.address() as AddressInfo
    let connections = 0
    admin.app.server.on('connection', () => connections++)
    const world = await openProxyWorld(t, { dialAllow: EVERYWHERE, ownPorts: [port] })
    for (const name of NAMES) {
      const get = `GET http://${name}:${port}/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
      const plain = await world.raw(get)
      t.match(plain, /^HTTP\/1\.1 (?:400|403|502) /, `GET ${name}`)
      t.notMatch(plain, /preau_form|_csrf/, name)
      const tunnel = await world.raw(
        `CONNECT ${name}:${port} HTTP/1.1\r\nHost: a\r\n\r\n`,
        '\r\n\r\n',
      )
      t.match(tunnel, /^HTTP\/1\.1 (?:200|400|403|502) /, `CONNECT ${name}`)
      t.match(
        await world.raw(handshake(`http://${name}:${port}/`, 'a'), '\r\n\r\n'),
        /^HTTP\/1\.1 (?:400|403|502) /,
        `Upgrade ${name}`,
      )
    }
    t.equal(connections, 0, 'not one connection')
  },
)

t.test('nor under a name that the DNS, or the city’s configuration, leads here', async t => {
  const admin = await openWorld(t)
  await admin.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = admin.app.server.address() as AddressInfo
  const dial = createDial({
    hosts: { 'fixed.test': '127.0.0.1' as Host },
    addresses: () => 'permitted',
    resolver: {
      resolve: () => ['127.0.0.1', '::1', ...own.map(a => a.replaceAll(/[[\]]/g, ''))] as Host[],
    },
    isOwn: (address, asked) => asked === port && isOwnAddress(address),
    timeoutMs: 2_000,
  })
  for (const name of ['rebind.test', 'fixed.test'])
    await t.rejects(
      dialled(dial, { host: host(name), port }),
      { code: 'PREAU_ADDRESS_NOT_PUBLIC' },
      name,
    )
})
