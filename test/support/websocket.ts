/** WebSocket handshakes and frames made by hand, right and wrong ones (RFC 6455). */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'
import { WebSocketServer } from 'ws'

/** The key of the RFC's own example, and what accepts it. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

const FIELDS = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': KEY,
}

/** The head of a handshake; `fields` add to the right ones or stand in their place, undefined takes one away. */
export function handshake(
  url: string,
  host: string,
  fields: Readonly<Record<string, string | undefined>> = {},
): string {
  const lines = Object.entries({ Host: host, ...FIELDS, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}\r\n`,
  )
  return `GET ${url} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** What accepts a handshake, whatever else came with it. */
export function switched(head: Buffer | string, fields = ''): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head.toString())?.[1] ?? ''
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`
}

export interface FrameParts {
  readonly opcode?: number
  /** The first byte as a whole, in place of FIN and opcode. */
  readonly first?: number
  readonly isMasked?: boolean
}

/** One frame with its length in the shortest form; the mask is four zeros. */
export function frame(
  text: string | Buffer,
  { opcode = 1, first = 0x80 | opcode, isMasked = false }: FrameParts = {},
): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  const [short, more] =
    length < 126
      ? [length, Buffer.alloc(0)]
      : length < 65_536
        ? [126, Buffer.from([length >> 8, length & 255])]
        : [127, Buffer.from([0, 0, 0, 0, ...[24, 16, 8, 0].map(bits => (length >> bits) & 255)])]
  const mask = isMasked ? Buffer.alloc(4) : Buffer.alloc(0)
  return Buffer.concat([Buffer.from([first, (isMasked ? 0x80 : 0) | short]), more, mask, payload])
}

/** A server that answers each message with `echo `. */
export async function openEcho(t: Test, options: { perMessageDeflate?: boolean } = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const paths: string[] = []
  server.on('connection', (socket, { url = '' }) => {
    paths.push(url)
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`))
  })
  return { port: (server.address() as AddressInfo).port, paths, server }
}

/** Answers a raw origin's first message with a 101, and hands over what comes after it. */
export function accept(socket: Socket, onMore: (chunk: Buffer) => void = () => undefined): void {
  socket.once('data', (head: Buffer) => {
    socket.write(switched(head))
    socket.on('data', onMore)
  })
}
