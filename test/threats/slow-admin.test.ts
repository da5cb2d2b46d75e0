/** Slow and silent clients of the admin port: closed in time and bounded, while the DSI works. */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { openWorld, type WorldOptions } from '../admin/world.ts'
import { eventually } from '../support/proxy-world.ts'

async function listen(t: Test, options: WorldOptions) {
  const world = await openWorld(t, options)
  const url = await world.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = world.app.server.address() as AddressInfo
  const open = async (begin: string): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined).resume()
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(begin)
    return socket
  }
  const isServed = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/healthz`, { headers: { connection: 'close' } }).catch(
      () => undefined,
    )
    return answer?.status === 200
  }
  return { open, isServed }
}

const isOver = (socket: Socket): boolean => socket.readableEnded || socket.closed

t.test('half a head is closed in time, others are served meanwhile', async t => {
  const { open, isServed } = await listen(t, { limits: { headTimeoutMs: 300 } })
  const begun = ['', 'G', 'GET / HTTP/1.1\r\nHost: a\r\n', 'POST /sign-in HTTP/1.1\r\nX: ']
  const sockets = await Promise.all(
    Array.from({ length: 80 }, (_, i) => open(begun[i % begun.length] ?? '')),
  )
  const slow = await open('GET / HTTP/1.1\r\nX: ')
  const trickle = setInterval(() => slow.write('x'), 50)
  t.teardown(() => clearInterval(trickle))
  t.ok(await isServed())
  const all = [...sockets, slow]
  await eventually(() => all.every(isOver))
  t.equal(all.filter(isOver).length, 81)
})

t.test('a form that comes drop by drop is given up', async t => {
  const { open, isServed } = await listen(t, { limits: { requestTimeoutMs: 400 } })
  const head =
    'POST /sign-in HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Type: application/x-www-form-urlencoded\r\n'
  const sockets = await Promise.all(
    ['Content-Length: 60000\r\n\r\nname=', 'Transfer-Encoding: chunked\r\n\r\nffff\r\nname='].map(
      rest => open(head + rest),
    ),
  )
  const trickle = setInterval(() => {
    for (const socket of sockets) socket.write('x')
  }, 50)
  t.teardown(() => clearInterval(trickle))
  t.ok(await isServed())
  await eventually(() => sockets.every(isOver))
  t.equal(sockets.filter(isOver).length, 2)
})

t.test('one address has its share of the connections, and gives its place back', async t => {
  const { open, isServed } = await listen(t, { limits: { adminConnectionsPerClient: 5 } })
  const held = await Promise.all(Array.from({ length: 5 }, () => open('GET')))
  const beyond = await open('GET')
  await eventually(() => isOver(beyond))
  t.ok(isOver(beyond))
  t.notOk(held.some(isOver))
  t.notOk(await isServed())
  held[0]?.destroy()
  let served = false
  for (let tries = 0; tries < 100 && !served; tries++) served = await isServed()
  t.ok(served)
})

t.test('there is a bound for all together; a reverse proxy is only counted in it', async t => {
  const { open, isServed } = await listen(t, {
    limits: { adminConnections: 8, adminConnectionsPerClient: 2 },
    admin: { trustedProxies: ['127.0.0.1/32'] },
  })
  const held = await Promise.all(Array.from({ length: 8 }, () => open('GET')))
  t.notOk(held.some(isOver), 'more than the two of a client')
  const beyond = await open('GET')
  await eventually(() => isOver(beyond))
  t.ok(isOver(beyond))
  held[0]?.destroy()
  let served = false
  for (let tries = 0; tries < 100 && !served; tries++) served = await isServed()
  t.ok(served)
})
