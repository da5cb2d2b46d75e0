/**
 * Where connections arrive: counts them, waits a bounded time for the first bytes, takes a plain CONNECT itself and hands
 * every other connection to the HTTP server.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Server as HttpServer } from 'node:http'
import type { Config } from '../config.ts'
import type { Admission } from './admission.ts'
import { readConnectHead } from './connect-head.ts'
import type { LimitName } from './limit-name.ts'

const MIN_TICK_MS = 10
const MAX_TICK_MS = 1_000

export interface FrontDoorOptions {
  readonly limits: Config['limits']
  readonly admission: Admission
  readonly http: HttpServer
  /** A CONNECT whose head is whole. The socket is paused; `rest` is what came after the head. */
  readonly onConnect: (socket: Socket, authority: string, rest: Buffer) => void
  readonly onLimit: (limit: LimitName) => void
}

export interface FrontDoor {
  readonly server: Server
  /** Closes the connections on which nothing has come yet. */
  closeWaiting(): void
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { limits, admission, http, onConnect, onLimit } = options
  const head = { maxBytes: limits.maxHeaderBytes, maxFields: limits.maxHeaders }
  const waiting = new Map<Socket, number>()
  // One timer for all that wait, not one for each.
  const look = setInterval(
    () => closeLate(performance.now() - limits.headTimeoutMs),
    Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, limits.headTimeoutMs / 8)),
  ).unref()
  const closeLate = (before: number): void => {
    if (limits.headTimeoutMs === 0) return
    for (const [socket, since] of waiting) {
      // In the order of their arrival.
      if (since > before) return
      onLimit('headTimeoutMs')
      socket.destroy()
    }
  }

  const onFirst = (socket: Socket, bytes: Buffer): void => {
    waiting.delete(socket)
    socket.pause()
    const connect = readConnectHead(bytes, head)
    if (connect !== undefined) {
      onConnect(socket, connect.authority, bytes.subarray(connect.length))
      return
    }
    socket.unshift(bytes)
    http.emit('connection', socket)
    socket.resume()
  }

  // Half-open is allowed: a client that has said all still gets the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    // First of all, before anything can wait: a socket without this listener takes the process down (proxy-chain#53).
    socket.on('error', onError)
    const ip = socket.remoteAddress ?? ''
    if (!admission.enter(ip)) {
      socket.resetAndDestroy()
      return
    }
    waiting.set(socket, performance.now())
    socket.once('close', () => {
      admission.leave(ip)
      waiting.delete(socket)
    })
    socket.once('data', (bytes: Buffer) => onFirst(socket, bytes))
    socket.once('end', () => {
      if (waiting.has(socket)) socket.destroy()
    })
  })
  // A connection that could not be accepted, for want of a descriptor, is lost; those that stand go on.
  server.on('error', () => undefined)
  server.once('close', () => clearInterval(look))
  if (limits.connections > 0) {
    server.maxConnections = limits.connections
    server.on('drop', () => onLimit('connections'))
  }
  return { server, closeWaiting: () => waiting.forEach((_, socket) => socket.destroy()) }
}

function onError(this: Socket): void {
  this.destroy()
}
