/** Opens a tunnel as leanly as Node can: one read buffer for all sockets, whose bytes are looked at before the next come. */
import { connect, type Socket } from 'node:net'
import { TIMEOUT_MS, type Aim } from './figures.ts'

const SHARED = Buffer.allocUnsafe(262_144)
const MAX_HEAD = 8_192

export interface Tunnel {
  readonly socket: Socket
  /** Hears what comes behind the proxy's own head; the buffer is used again after it. */
  listen: (onBytes: (bytes: Buffer) => void) => void
}

export interface Asked extends Aim {
  readonly localAddress?: string
  /** The proxy said 200, and not a byte more. */
  readonly onOpen: (tunnel: Tunnel) => void
  /** Called once: with nothing when the other side has ended in order. */
  readonly onClose: (failure?: Error) => void
}

export function connectThrough({ port, authority, localAddress, onOpen, onClose }: Asked): Socket {
  let head: string | undefined = ''
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= error
    socket.destroy()
  }
  let onBytes: (bytes: Buffer) => void = () => fail(new Error('bytes that nobody asked for'))
  const take = (bytes: Buffer): void => {
    if (head === undefined) {
      onBytes(bytes)
      return
    }
    head += bytes.toString('latin1')
    const end = head.indexOf('\r\n\r\n')
    if (end === -1 && head.length < MAX_HEAD) return
    const isRight = end + 4 === head.length && /^HTTP\/1\.[01] 200 /.test(head)
    if (!isRight) throw new Error(`not the head of a tunnel: ${head.slice(0, 200)}`)
    head = undefined
    onOpen({ socket, listen: listener => (onBytes = listener) })
  }
  const onread = {
    buffer: SHARED,
    callback: (length: number): boolean => {
      try {
        take(SHARED.subarray(0, length))
      } catch (error) {
        fail(error as Error)
      }
      return true
    },
  }
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread,
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  socket.setTimeout(TIMEOUT_MS, () => fail(new Error(`nothing for ${TIMEOUT_MS / 1_000} s`)))
  socket.on('error', fail)
  socket.on('close', () => onClose(failure))
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  return socket
}
