/** An origin that takes its time: what has come of its answer is given at once, and the rest is waited for. */
import t from 'tap'
import { openOrigin, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const close = 'Connection: close\r\n'

t.test('an answer that has begun may be silent for as long as a tunnel', async t => {
  let say = (_text: string): void => undefined
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () => {
      say = text => void socket.write(text)
      say('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')
    }),
  )
  const limits = { answerTimeoutMs: 100, tunnelIdleTimeoutMs: 1_000 }
  const world = await openProxyWorld(t, { limits })
  const socket = await world.open()
  const startedAt = performance.now()
  socket.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(socket, 'data: 1')
  setTimeout(() => say('data: 2\n\n'), 400)
  t.match(await readUntil(socket, 'data: 2'), /data: 2/)
  await readUntil(socket)
  const tookMs = performance.now() - startedAt
  t.ok(
    tookMs > 1_300,
    `and for no longer: ${tookMs} ms, with the silence counted from its last word`,
  )
  t.strictSame(world.limited, ['tunnelIdleTimeoutMs'])
})

t.test('each silence has its own bound, whichever is the longer, and may have none', async t => {
  const begins = await openRawOrigin(t, socket =>
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
  )
  const mute = await openRawOrigin(t, socket => socket.resume())
  const ask = (world: ProxyWorld, port: number) =>
    world.raw(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n${close}\r\n`)
  const rows = [
    [{ answerTimeoutMs: 60_000, tunnelIdleTimeoutMs: 100 }, begins, 'tunnelIdleTimeoutMs'],
    [{ answerTimeoutMs: 0, tunnelIdleTimeoutMs: 100 }, begins, 'tunnelIdleTimeoutMs'],
    [{ answerTimeoutMs: 100, tunnelIdleTimeoutMs: 60_000 }, mute, 'answerTimeoutMs'],
    [{ answerTimeoutMs: 100, tunnelIdleTimeoutMs: 0 }, mute, 'answerTimeoutMs'],
  ] as const
  for (const [limits, port, expected] of rows) {
    const world = await openProxyWorld(t, { limits })
    t.match(await ask(world, port), port === mute ? /^HTTP\/1\.1 504 / : /half$/)
    t.strictSame(world.limited, [expected], JSON.stringify(limits))
  }
})

t.test('a head leaves when it is there, however long its body takes', async t => {
  const heads = {
    'an event stream': 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n',
    'a length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n',
    chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\n',
    'what had to be mended': 'HTTP/1.1 200 OK\nContent-Length: 10\n\n',
  }
  const world = await openProxyWorld(t)
  for (const [name, head] of Object.entries(heads)) {
    for (const version of ['1.1', '1.0']) {
      let end = (): void => undefined
      const port = await openRawOrigin(t, socket =>
        socket.once('data', () => {
          socket.write(head)
          end = () => socket.resetAndDestroy()
        }),
      )
      const socket = await world.open()
      socket.write(`GET http://free.test:${port}/ HTTP/${version}\r\nHost: a\r\n\r\n`)
      t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 200 /, `${name}, to ${version}`)
      end()
      t.equal(await readUntil(socket), '', 'and its body, which breaks, is no whole one')
    }
  }
})

t.test('a head and a body that come together leave together', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const socket = await world.open()
  const pieces: string[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece.toString()))
  socket.write(`GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(socket, 'hello /')
  t.equal(pieces.length, 1)
})
