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
  const waiting = new Set<Socket>()

  const onFirst = (socket: Socket, bytes: Buffer): void => {
    waiting.delete(socket)
    socket.pause()
    const connect = readConnectHead(bytes, head)
    if (connect !== undefined) {
      onConnect(socket, connect.authority, bytes.subarray(connect.length))
      return
    }
    socket.setTimeout(0)
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
      onLimit('connectionsPerClient')
      socket.resetAndDestroy()
      return
    }
    waiting.add(socket)
    socket.once('close', () => {
      admission.leave(ip)
      waiting.delete(socket)
    })
    socket.once('data', (bytes: Buffer) => onFirst(socket, bytes))
    socket.once('end', () => {
      if (waiting.has(socket)) socket.destroy()
    })
    socket.setTimeout(limits.headTimeoutMs, () => {
      if (!waiting.has(socket)) return
      onLimit('headTimeoutMs')
      socket.destroy()
    })
  })
  if (limits.connections > 0) {
    server.maxConnections = limits.connections
    server.on('drop', () => onLimit('connections'))
  }
  return { server, closeWaiting: () => waiting.forEach(socket => socket.destroy()) }
}

function onError(this: Socket): void {
  this.destroy()
}
