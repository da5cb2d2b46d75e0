/** Case 66 of the catalogue: names that only mean something inside (`localhost`, `*.local`, one label alone). */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { isInnerName } from '../../src/policy/host.ts'
import { createDial } from '../../src/proxy/dial.ts'
import { dialled } from '../support/dialled.ts'
import { openDns } from '../support/dns-server.ts'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'

/** Stands for the outside. */
const OUTER = host('127.0.0.2')
const INNER = [
  'localhost',
  'a.localhost',
  'ip6-localhost',
  'intranet',
  'nas.local',
  'router.lan',
  'db.internal',
  'metadata.google.internal',
  'x.onion',
]
const tail = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

t.test('such a name leads nowhere, though the DNS gives it an address outside', async t => {
  const origin = createServer(socket => socket.end()).listen(0, OUTER)
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const dial = createDial({
    hosts: {},
    addresses: address => (address === OUTER ? 'public' : 'non-public'),
    resolver: { resolve: () => [OUTER] },
    isOwn: () => false,
    timeoutMs: 2_000,
  })
  const { port } = origin.address() as AddressInfo
  for (const name of INNER) {
    for (const spelling of [name, `${name}.`, name.toUpperCase()])
      await t.rejects(
        dialled(dial, { host: host(spelling), port }),
        { code: 'PREAU_ADDRESS_NOT_PUBLIC' },
        spelling,
      )
  }
  const socket = await dialled(dial, { host: host('web.test'), port })
  t.equal(socket.remoteAddress, OUTER, 'a name of the web is reached there')
  socket.destroy()
})

t.test('nor does it where the DNS gives it one inside', async t => {
  const origin = await openOrigin(t)
  const names = INNER.filter(name => !name.endsWith('onion'))
  const { server } = await openDns(t, Object.fromEntries(names.map(name => [name, ['127.0.0.1']])))
  const world = await openProxyWorld(t, { names: false, dnsServers: [server] })
  for (const name of names) {
    t.match(await world.raw(`GET http://${name}:${origin.port}/ ${tail}`), /^HTTP\/1\.1 403/, name)
    t.match(await world.raw(`CONNECT ${name}:${origin.port} ${tail}`), /^HTTP\/1\.1 403/, name)
  }
  t.equal(origin.requests.length, 0)
})

t.test('it does where the city gave it an address, or permits the network it is in', async t => {
  const origin = await openOrigin(t)
  const { server } = await openDns(t, { 'nas.local': ['127.0.0.1'] })
  const pinned = await openProxyWorld(t, { names: ['intranet'], dnsServers: [server] })
  const get = (name: string) => `GET http://${name}:${origin.port}/ ${tail}`
  t.match(await pinned.raw(get('Intranet.')), /^HTTP\/1\.1 200/)
  t.match(await pinned.raw(get('nas.local')), /^HTTP\/1\.1 403/)
  const permitted = await openProxyWorld(t, { dnsServers: [server], dialAllow: ['127.0.0.1/32'] })
  t.match(await permitted.raw(get('nas.local')), /^HTTP\/1\.1 200/)
})

t.test('ordinary names and addresses are not among them', async t => {
  for (const name of ['free.test', 'local.fr', 'localhost.fr', 'x.internal.fr', '192.0.2.1', '::1'])
    t.notOk(isInnerName(host(name)), name)
})
