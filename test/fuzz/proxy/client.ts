/** A client that sends an input as its bytes decide: whole or in pieces, and leaves politely, half-way or at once. */
import { connect, type Socket } from 'node:net'
import { createRandom, seedOf, type Random } from '../engine/random.ts'

/** Until the first byte of an answer, and after its last one. */
const FIRST_MS = 50
const QUIET_MS = 15
const LANES = 128

/** Sends `bytes` and answers what came back until the proxy closed or fell silent. */
export function converse(port: number, bytes: Buffer): Promise<Buffer> {
  const random = createRandom(seedOf(bytes))
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const heard: Buffer[] = []
  const pieces = cut(bytes, random)
  const leaves = random.below(20)
  return new Promise(resolve => {
    const leave = (): void => void socket.destroy()
    let timer = setTimeout(leave, 2_000)
    const wait = (ms: number): void => {
      clearTimeout(timer)
      timer = setTimeout(leave, ms)
    }
    socket.on('error', leave)
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk)
      wait(QUIET_MS)
    })
    socket.once('end', leave)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(heard))
    })
    socket.once('connect', () => {
      sendAll(socket, pieces, () => {
        wait(FIRST_MS)
        if (leaves === 0) socket.resetAndDestroy()
        else if (leaves < 4) socket.end()
      })
    })
  })
}

/** Mostly whole; else at a few places, or byte by byte. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  const kind = random.below(10)
  if (kind > 2) return [bytes]
  if (kind === 0) {
    const few = Math.min(bytes.length, 80)
    const single = Array.from({ length: few }, (_, at) => bytes.subarray(at, at + 1))
    return [...single, bytes.subarray(few)]
  }
  const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length + 1))
  const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end))
}

function sendAll(socket: Socket, pieces: readonly Buffer[], onSent: () => void): void {
  const [first, ...others] = pieces
  if (first === undefined || socket.destroyed) onSent()
  else {
    socket.write(first)
    setImmediate(sendAll, socket, others, onSent)
  }
}

/** Runs `act` for each item, a bounded number at a time. */
export async function inLanes<T>(
  items: readonly T[],
  act: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  const lane = async (): Promise<void> => {
    for (const [at, item] of queue) await act(item, at)
  }
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane))
}

/** Throws unless a plain request is served in time: a worker that hangs is as bad as one that died. */
export async function probe(port: number, originPort: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const head = `GET http://free.test:${originPort}/probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  const text = await new Promise<string>(resolve => {
    let heard = ''
    const timer = setTimeout(() => socket.destroy(), 10_000)
    socket.on('data', chunk => (heard += String(chunk)))
    socket.on('error', () => socket.destroy())
    socket.once('end', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(heard)
    })
    socket.write(head)
  })
  if (!text.startsWith('HTTP/1.1 200 '))
    throw new Error(`the worker no longer serves: ${text.slice(0, 200)}`)
}
