/**
 * The web behind the proxies, a process of its own on one port. What a connection says first decides: `G`, a GET; 22, a
 * ClientHello, answered and then silence; `d` and a number, bytes to send; `u` and a number, bytes that come; `s`, the
 * same with a slow reader.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import {
  createPatternCheck,
  HELLO,
  HELLO_ANSWER,
  PAGE_ANSWER,
  sendPattern,
  SHORT_ANSWER,
} from './bytes.ts'
import { readSlowly } from './slow-reader.ts'

const END_OF_HEAD = '\r\n\r\n'
const GET = 'G'.charCodeAt(0)
const TLS_HANDSHAKE = 22

function serveGets(socket: Socket, first: Buffer): void {
  let head = ''
  const take = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    if (!head.endsWith(END_OF_HEAD)) return
    const isLast = /\r\nconnection: *close/i.test(head)
    head = ''
    if (isLast) socket.end(SHORT_ANSWER)
    else socket.write(PAGE_ANSWER)
  }
  socket.on('data', take)
  take(first)
}

function serveHello(socket: Socket, first: Buffer): void {
  let seen = 0
  const take = (chunk: Buffer): void => {
    if (chunk.compare(HELLO, seen, seen + chunk.length) !== 0) socket.destroy()
    seen += chunk.length
    if (seen === HELLO.length) socket.write(HELLO_ANSWER)
  }
  socket.on('data', take)
  take(first)
}

/** Says `all` once the very bytes have come; a wrong one ends the connection without it. */
function takeUpload(socket: Socket, bytes: number, isSlow: boolean): void {
  const check = createPatternCheck()
  const take = (chunk: Buffer): void => {
    try {
      if (check(chunk) === bytes) socket.end('all')
    } catch {
      socket.destroy()
    }
  }
  if (isSlow) readSlowly(socket, take)
  else socket.on('data', take)
  socket.write('+')
}

function serveBulk(socket: Socket, first: Buffer): void {
  const [, way, count] = /^([dus])(\d+);$/.exec(first.toString('latin1')) ?? []
  if (way === 'd') {
    sendPattern(socket, Number(count)).then(
      () => socket.end(),
      () => socket.destroy(),
    )
  } else if (way === undefined) socket.destroy()
  else takeUpload(socket, Number(count), way === 's')
}

const server = createServer({ noDelay: true }, socket => {
  socket.on('error', () => socket.destroy())
  socket.once('data', (first: Buffer) => {
    if (first[0] === GET) serveGets(socket, first)
    else if (first[0] === TLS_HANDSHAKE) serveHello(socket, first)
    else serveBulk(socket, first)
  })
})
// All loopback addresses: one pair of addresses has not enough ports for what is asked here.
server.listen({ host: '0.0.0.0', port: 0, backlog: 4_096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
)
process.once('disconnect', () => process.exit(0))
