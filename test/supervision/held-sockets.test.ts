/** The sockets that the supervisor holds: of names and addresses of both families, given up and bound anew. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { HeldSockets } from '../../src/supervision/held-sockets.ts'

const hasIpv6 = Object.values(networkInterfaces()).some(rows =>
  rows?.some(({ address }) => address === '::1'),
)

async function claim(t: Test, host: string, port = 0): Promise<HeldSockets> {
  const sockets = await HeldSockets.claim({ host, port })
  t.teardown(() => sockets.giveUpAll())
  return sockets
}

t.test('a name, an address, and any address of both families', async t => {
  const hosts = ['127.0.0.1', 'localhost', '0.0.0.0', ...(hasIpv6 ? ['::1', '::'] : [])]
  for (const host of hosts) {
    const sockets = await claim(t, host)
    t.ok(sockets.port > 0, host)
    t.ok(sockets.fdOf(1) > 2, host)
    t.equal(sockets.fdOf(1), sockets.fdOf(1), 'and it stays')
  }
})

t.test('a name that leads nowhere is refused with the word of the system', async t => {
  await t.rejects(
    HeldSockets.claim({ host: 'no-such-name.invalid', port: 0 }),
    /ENOTFOUND|EAI_AGAIN/,
  )
})

t.test('a port that somebody listens on is refused, after a moment of patience', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(HeldSockets.claim({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
  setTimeout(() => other.close(), 200)
  t.equal((await claim(t, '127.0.0.1', port)).port, port, 'who lets it go in time is waited for')
})

t.test('a port whose holders would share it is refused all the same', async t => {
  const other = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(HeldSockets.claim({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
})

t.test('all places have the same port, and one that was given up is bound anew', async t => {
  const sockets = await claim(t, '127.0.0.1')
  const { port } = sockets
  const first = sockets.fdOf(1)
  t.not(sockets.fdOf(2), first)
  sockets.giveUp(2)
  sockets.giveUp(2)
  t.ok(sockets.fdOf(2) > 2)
  t.equal(sockets.port, port)
})

t.test('a socket on which nobody has listened yet refuses; once given up it is free', async t => {
  const sockets = await claim(t, '127.0.0.1')
  const { port } = sockets
  const socket = connect(port, '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNREFUSED')
  sockets.giveUpAll()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  other.close()
})
