/** What an origin sends arrives byte for byte, however the client reads: a buffer is never read over too early. */
import t from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { openProxyWorld } from '../support/proxy-world.ts'

const PATTERN = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 255))
const TWICE = Buffer.concat([PATTERN, PATTERN])
const TOTAL = 8 << 20

/** A small generator of its own, so that a failure can be run again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

t.test('forty tunnels at once, with small and large pieces and readers that pause', async t => {
  const origin = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', order => {
      const random = createRandom(Number(String(order).trim()))
      let sent = 0
      const send = (): void => {
        while (sent < TOTAL) {
          const offset = sent % PATTERN.length
          const size = Math.min(1 + random(random(4) === 0 ? 64 : 60_000), TOTAL - sent)
          sent += size
          if (!socket.write(TWICE.subarray(offset, offset + size))) {
            socket.once('drain', send)
            return
          }
        }
        socket.end()
      }
      send()
    })
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const target = `free.test:${(origin.address() as AddressInfo).port}`
  const world = await openProxyWorld(t)
  const fetch = async (seed: number): Promise<string> => {
    const random = createRandom(seed)
    const socket = connect(world.port, '127.0.0.1')
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    await once(socket, 'data')
    socket.write(`${seed}\n`)
    let seen = 0
    let wrong = ''
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length;) {
        const offset = seen % PATTERN.length
        const part = chunk.subarray(at, at + PATTERN.length)
        if (!TWICE.subarray(offset, offset + part.length).equals(part)) wrong ||= `near ${seen}`
        at += part.length
        seen += part.length
      }
      if (random(8) > 0) return
      socket.pause()
      setTimeout(() => socket.resume(), random(4))
    })
    await once(socket, 'close')
    return wrong || (seen === TOTAL ? 'right' : `${seen} bytes`)
  }
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => fetch(i + 1)))
  t.strictSame([...new Set(outcomes)], ['right'])
})
