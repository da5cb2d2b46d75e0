/** One client connection with many requests: their order, what they leave behind, and a client that ends its sending. */
import t from 'tap'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { openRecordingOrigin } from '../support/recording-origin.ts'

const get = (port: number, path: string, name = 'free.test'): string =>
  `GET http://${name}:${port}/${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const answer = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

t.test('a thousand requests on one connection leave no listener behind', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  const arrived = once(world.proxy.server, 'connection') as Promise<[Socket]>
  const socket = await world.open()
  const [served] = await arrived
  const listeners = (): number =>
    served.eventNames().reduce((sum, name) => sum + served.listenerCount(name), 0)
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      socket.write(get(origin.port, String(i)))
      await readUntil(socket, '\r\n\r\nok')
    }
  }
  await ask(20)
  const before = listeners()
  await ask(980)
  t.equal(listeners(), before)
  t.equal(origin.requests.length, 1_000)
  t.equal(origin.connections.length, 1, 'and one connection to the origin was enough')
  t.equal(world.proxy.openExchanges, 0)
})

t.test('answers come in the order of the questions, however long each takes', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', data => {
      const path = /\/(\w+) HTTP/.exec(String(data))?.[1] ?? ''
      setTimeout(() => socket.write(answer(`<${path}>`)), path.startsWith('slow') ? 60 : 0)
    }),
  )
  const world = await openProxyWorld(t)
  const text = await world.raw(
    get(port, 'slow1') +
      get(port, 'a', 'games.test') +
      get(port, 'b') +
      get(port, 'slow2') +
      get(port, 'end'),
    '<end>',
  )
  t.strictSame(text.match(/<\w+>|refused page/g), [
    '<slow1>',
    'refused page',
    '<b>',
    '<slow2>',
    '<end>',
  ])
})

t.test(
  'what cannot be read behind a request ends the connection after its answer, or at once',
  async t => {
    const origin = await openRecordingOrigin(t)
    const world = await openProxyWorld(t)
    const text = await world.raw(`${get(origin.port, 'first')}\0garbage\r\n\r\n`)
    t.notMatch(text, /^HTTP\/1\.1 [^]*HTTP\/1\.1 200/)
    t.ok(origin.requests.length <= 1)
    t.strictSame(origin.faults, [])
  },
)

t.test('a client that has ended its sending still gets its answers', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', () => setTimeout(() => socket.write(answer('late')), 60)),
  )
  const world = await openProxyWorld(t)
  for (const count of [1, 2]) {
    const socket = await world.open()
    socket.end(get(port, 'a').repeat(count))
    const text = await readUntil(socket)
    t.equal(text.match(/\r\n\r\nlate/g)?.length, count)
    t.ok(socket.readableEnded, 'and then the connection ends')
  }
  const socket = await world.open()
  socket.end(get(port, 'a', 'games.test'))
  t.match(await readUntil(socket), /refused page/)
})

t.test('a client that ends its sending in the middle of a request is told so', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  for (const half of [
    'GET http://free',
    `${get(origin.port, '').replace('GET', 'POST').slice(0, -2)}Content-Length: 9\r\n\r\nhalf`,
  ]) {
    const socket = await world.open()
    socket.end(half)
    t.match(await readUntil(socket), /^HTTP\/1\.1 400 /)
  }
  await eventually(() => world.proxy.openExchanges === 0)
  t.strictSame(origin.requests, [], 'no half of a body is taken for a whole one')
})

t.test('a client that has left without a word frees its origin soon', async t => {
  let onClosed = (): void => undefined
  const closed = new Promise<void>(resolve => (onClosed = resolve))
  const port = await openRawOrigin(t, socket => {
    socket.resume()
    socket.on('end', () => socket.destroy())
    socket.on('close', onClosed)
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(get(port, 'silent'))
  await eventually(() => world.proxy.openExchanges === 1)
  socket.end()
  await closed
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ status: 0 }])
})
