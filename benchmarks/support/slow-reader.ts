/** A reader that takes a little and rests: what comes must wait for it, here and in the proxy. */
import type { Socket } from 'node:net'

const BETWEEN_RESTS = 2 ** 20
const REST_MS = 20

export function readSlowly(socket: Socket, take: (chunk: Buffer) => void): void {
  let since = 0
  socket.on('data', (chunk: Buffer) => {
    take(chunk)
    since += chunk.length
    if (since < BETWEEN_RESTS) return
    since = 0
    socket.pause()
    setTimeout(() => socket.resume(), REST_MS)
  })
}
