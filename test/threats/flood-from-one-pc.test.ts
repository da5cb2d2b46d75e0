/** One PC that asks for too much is refused too much, and nobody else. */
import t from 'tap'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { aPolicy } from '../support/snapshot.ts'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What is really held. */
function heapUsed(): number {
  collect()
  return process.memoryUsage().heapUsed
}

async function openFrom(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  // One that is refused may be reset before it is told that it stands.
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
  return socket
}

/** The proxy hears a little later that connections have gone. */
async function askUntilServed(port: number, from: string, request: string): Promise<string> {
  let answer = ''
  for (let i = 0; i < 100 && answer === ''; i++) {
    const socket = await openFrom(port, from)
    socket.write(request)
    answer = await readUntil(socket)
  }
  return answer
}

t.test('one client has a bounded number of connections, and the others theirs', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { connectionsPerClient: 10 } })
  const flood = await Promise.all(
    Array.from({ length: 30 }, () => openFrom(world.port, '127.0.0.2')),
  )
  await eventually(() => flood.filter(socket => socket.closed).length === 20)
  t.equal(flood.filter(socket => socket.closed).length, 20)
  const request = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(request), /^HTTP\/1\.1 200/, 'another PC is served meanwhile')
  for (const socket of flood) socket.destroy()
  t.strictSame(world.limited, Array(20).fill('connectionsPerClient'))
  const answer = await askUntilServed(world.port, '127.0.0.2', request)
  t.match(answer, /^HTTP\/1\.1 200/, 'and so is the first once it has let go')
})

t.test('one client opens a bounded number of exchanges a minute', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { limits: { exchangesPerMinute: 5 }, clock: () => 1_000 })
  const request = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  for (let i = 0; i < 5; i++) t.match(await world.raw(request), /^HTTP\/1\.1 200/)
  t.match(await world.raw(request), /^HTTP\/1\.1 429/)
  const tunnel = `CONNECT free.test:${origin.port} HTTP/1.1\r\nHost: a\r\n\r\n`
  t.match(await world.raw(tunnel), /^HTTP\/1\.1 429/)
  const other = await openFrom(world.port, '127.0.0.3')
  other.write(request)
  t.match(await readUntil(other), /^HTTP\/1\.1 200/)
  t.strictSame(world.limited, ['exchangesPerMinute', 'exchangesPerMinute'])
})

t.test('connections beyond the bound of all are closed, and the next ones served', async t => {
  const origin = await openOrigin(t)
  const [school] = aPolicy().sites
  if (school === undefined) throw new TypeError('the city has schools')
  // One that shares with no other.
  const policy = aPolicy({ sites: [school] })
  const world = await openProxyWorld(t, { limits: { connections: 5 }, policy })
  const sockets = await Promise.all(
    Array.from({ length: 9 }, () => openFrom(world.port, '127.0.0.1')),
  )
  // An end is seen by who reads.
  for (const socket of sockets) socket.resume()
  const isEnded = (socket: Socket): boolean => socket.readableEnded || socket.closed
  await eventually(() => sockets.filter(isEnded).length === 4)
  t.equal(sockets.filter(isEnded).length, 4)
  for (const socket of sockets) socket.destroy()
  const request = `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await askUntilServed(world.port, '127.0.0.1', request), /^HTTP\/1\.1 200/)
  t.ok(world.limited.filter(limit => limit === 'connections').length >= 4)
})

t.test('a school with all the addresses it likes leaves half of the connections', async t => {
  const origin = await openOrigin(t)
  const [one, other] = aPolicy().sites
  if (one === undefined || other === undefined) throw new TypeError('the city has two schools')
  const room = { name: 'Salle 2', profile: 'pupils', networks: ['127.9.0.0/16'] }
  const policy = aPolicy({ sites: [one, { ...other, rooms: [room] }] })
  const world = await openProxyWorld(t, { limits: { connections: 20 }, policy })
  const flood = await Promise.all(
    Array.from({ length: 20 }, (_, i) => openFrom(world.port, `127.0.1.${i + 1}`)),
  )
  await eventually(() => flood.filter(socket => socket.closed).length === 10)
  t.equal(flood.filter(socket => socket.closed).length, 10)
  const socket = await openFrom(world.port, '127.9.0.1')
  socket.write(
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  )
  t.match(await readUntil(socket), /^HTTP\/1\.1 200/, 'a PC of the other school is served')
  for (const one of flood) one.destroy()
})

t.test('what a PC asks beyond its allowance is one line a minute, with its count', async t => {
  const clock = { now: 1_000 }
  const world = await openProxyWorld(t, {
    limits: { exchangesPerMinute: 5 },
    clock: () => clock.now,
  })
  const socket = await world.open('127.0.0.2')
  socket.resume()
  const request = 'GET http://games.test/ HTTP/1.1\r\nHost: a\r\n\r\n'
  for (let i = 0; i < 30; i++) {
    socket.write(request)
    await eventually(() => world.limited.length === Math.max(0, i - 4))
  }
  const refused = () => world.log.filter(({ reason }) => reason === 'PREAU_TOO_MANY_REQUESTS')
  await eventually(() => refused().length === 25)
  t.equal(refused().length - world.untold, 1, 'the first has its line')
  clock.now += 60_000
  t.match(await world.raw(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')), /^HTTP/)
  t.strictSame(world.floods, [{ ip: '127.0.0.2', times: 24 }])
  const health = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  for (let i = 0; i < 4; i++) t.match(await world.raw(health), /^HTTP\/1\.1 200/)
  t.match(await world.raw(health), /^HTTP\/1\.1 429/, 'a question about its health counts too')
})

t.test('a head has a bounded number of fields, an address a bounded length', async t => {
  const world = await openProxyWorld(t, { limits: { maxHeaders: 10, maxUrlBytes: 100 } })
  const fields = Array.from({ length: 11 }, (_, i) => `X-${i}: 1\r\n`).join('')
  // The connection may stay open after it.
  const head = (bytes: string) => world.raw(bytes, '\r\n\r\n')
  t.match(
    await head(`GET http://free.test/ HTTP/1.1\r\nHost: a\r\n${fields}\r\n`),
    /^HTTP\/1\.1 431/,
  )
  t.match(
    await head(`CONNECT free.test:443 HTTP/1.1\r\nHost: a\r\n${fields}\r\n`),
    /^HTTP\/1\.1 431/,
  )
  t.match(
    await head(`GET http://free.test/${'x'.repeat(100)} HTTP/1.1\r\nHost: a\r\n\r\n`),
    /^HTTP\/1\.1 414/,
  )
  t.strictSame(world.limited, ['maxHeaders', 'maxHeaders', 'maxUrlBytes'])
})

t.test('fifty thousand different names leave nothing behind', async t => {
  const world = await openProxyWorld(t, { limits: { exchangesPerMinute: 0 } })
  const socket = await world.open()
  socket.resume()
  const ask = async (from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i += 500) {
      let requests = ''
      for (let j = i; j < i + 500; j++)
        requests += `GET http://h${j}.games.test/ HTTP/1.1\r\nHost: a\r\n\r\n`
      socket.write(requests)
      await eventually(() => world.log.length === 500)
      t.equal(world.log.length, 500)
      world.log.length = 0
      world.refused.length = 0
    }
  }
  await ask(0, 5_000)
  const before = heapUsed()
  await ask(5_000, 45_000)
  const grown = (heapUsed() - before) / 1e6
  t.ok(grown < 10, `${grown.toFixed(0)} MB more`)
})
