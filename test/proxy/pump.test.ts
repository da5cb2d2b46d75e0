/** What one side sends arrives byte for byte, however the other reads: a buffer is never read over too early. */
import t from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { readInto } from '../../src/proxy/read-buffer.ts'
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

/** Compares what a socket says with the pattern, and pauses now and then; answers what it was. */
function compare(socket: Socket, random: (below: number) => number): () => string {
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
  return () => wrong || (seen === TOTAL ? 'right' : `${seen} bytes`)
}

/** Says the pattern in pieces of every size, waiting for its reader, and ends. */
function speak(socket: Socket, random: (below: number) => number): void {
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
}

t.test('forty tunnels at once, with small and large pieces and readers that pause', async t => {
  const origin = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', order => {
      speak(socket, createRandom(Number(String(order).trim())))
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
    const outcome = compare(socket, random)
    await once(socket, 'close')
    return outcome()
  }
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => fetch(i + 1)))
  t.strictSame([...new Set(outcomes)], ['right'])
})

t.test('forty uploads at once, of which some begin slowly, into origins that pause', async t => {
  const outcomes: Promise<string>[] = []
  const origin = createServer(socket => {
    socket.on('error', () => undefined)
    const outcome = compare(socket, createRandom(outcomes.length + 1))
    outcomes.push(once(socket, 'end').then(outcome))
    socket.once('end', () => socket.end())
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const target = `free.test:${(origin.address() as AddressInfo).port}`
  const world = await openProxyWorld(t)
  const send = async (seed: number): Promise<void> => {
    const random = createRandom(seed)
    const socket = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    await once(socket, 'data')
    speak(socket, random)
    socket.resume()
    await once(socket, 'close')
  }
  await Promise.all(Array.from({ length: 40 }, (_, i) => send(i + 1)))
  t.strictSame([...new Set(await Promise.all(outcomes))], ['right'])
  t.equal(outcomes.length, 40)
})

t.test('Node keeps what `onread` says where it is looked for', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = await accepted
  t.teardown(() => far.destroy())
  const read = new Promise<string>(resolve => {
    const buffer = Buffer.alloc(64)
    const callback = (count: number): boolean => {
      resolve(buffer.toString('latin1', 0, count))
      return true
    }
    // A release of Node that keeps it elsewhere costs the speed of uploads, and must be seen here.
    t.ok(readInto(far, { buffer: () => buffer, callback }))
  })
  far.resume()
  near.end('hello')
  t.equal(await read, 'hello')
})
