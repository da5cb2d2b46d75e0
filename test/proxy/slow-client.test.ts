/** A client that takes an answer slowly: the silence that it makes at the origin is not the origin's. */
import t from 'tap'
import { eventually, openProxyWorld } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

t.test('a slow client gets the whole of its answer, however long its origin waits', async t => {
  const body = Buffer.alloc(9_000_000, 'x')
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
      socket.write(body)
    }),
  )
  const world = await openProxyWorld(t, { limits: { answerTimeoutMs: 200 } })
  const client = (await world.open()).pause()
  client.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  let read = 0
  const drip = setInterval(() => (read += (client.read() as Buffer | null)?.length ?? 0), 20)
  t.teardown(() => clearInterval(drip))
  await eventually(() => client.closed || read > body.length, 20_000)
  t.ok(read > body.length, `${read} of ${body.length}`)
  t.strictSame(world.limited, [])
})
