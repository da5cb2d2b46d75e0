/** The bytes that the origin sends and the load generator expects, so that each side can check the other. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { hello, serverName } from '../../test/support/hello.ts'

/** Its length is no multiple of any buffer: bytes that move by one are seen. */
const PATTERN = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 255))
const TWICE = Buffer.concat([PATTERN, PATTERN])

/** The answer to a GET that asks for `Connection: close`. */
export const SHORT_ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
)
/** The body of the answer to any other GET. */
export const PAGE = PATTERN.subarray(0, 1_000)
export const PAGE_ANSWER = Buffer.concat([
  Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n'),
  Buffer.from(`Content-Length: ${PAGE.length}\r\n\r\n`),
  PAGE,
])

/** What a browser sends first, and about what a server says to it. */
export const HELLO = hello({ extensions: [serverName('bench.test'), [21, Buffer.alloc(400)]] })
export const HELLO_ANSWER = PATTERN.subarray(0, 4_000)

/** Writes `bytes` bytes of the pattern, waiting for the reader. */
export async function sendPattern(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    const part = left < PATTERN.length ? PATTERN.subarray(0, left) : PATTERN
    left -= part.length
    if (!socket.write(part)) await once(socket, 'drain')
  }
}

/** Writes all of it at once and leaves the waiting to the socket: a writer that never looks behind. */
export function sendPatternHastily(socket: Socket, bytes: number): void {
  for (let left = bytes; left > 0; left -= PATTERN.length)
    socket.write(left < PATTERN.length ? PATTERN.subarray(0, left) : PATTERN)
}

/** Compares what comes with the pattern; answers how much has come, or throws at the first wrong byte. */
export function createPatternCheck(): (chunk: Buffer) => number {
  let seen = 0
  return chunk => {
    for (let at = 0; at < chunk.length;) {
      const offset = seen % PATTERN.length
      const length = Math.min(PATTERN.length, chunk.length - at)
      if (chunk.compare(TWICE, offset, offset + length, at, at + length) !== 0)
        throw new Error(`a wrong byte near ${seen}`)
      at += length
      seen += length
    }
    return seen
  }
}
