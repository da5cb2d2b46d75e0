/**
 * Where connections arrive: counts them, waits a bounded time for the first bytes, takes a plain CONNECT itself and hands
 * every other connection to the HTTP server.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Server as HttpServer } from 'node:http'
import type { Config } from '../config.ts'
import type { Admission } from './admission.ts'
import { readConnectHead } from './connect-head.ts'
import { Deadlines, type Due } from './deadlines.ts'
import type { LimitName } from './limit-name.ts'
import { hold, release, type Holder } from './wire.ts'

export interface FrontDoorOptions {
  readonly limits: Config['limits']
  readonly admission: Admission
  readonly http: HttpServer
  /** A CONNECT whose head is whole; `rest` is what came after it. */
  readonly onConnect: (socket: Socket, authority: string, rest: Buffer) => void
  readonly onLimit: (limit: LimitName) => void
}

export interface FrontDoor {
  readonly server: Server
  /** Closes the connections on which nothing has come yet. */
  closeWaiting(): void
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { limits, admission, onLimit } = options
  const door: Door = { ...options, waiting: new Deadlines(limits.headTimeoutMs) }
  // Half-open is allowed: a client that has said all still gets the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const ip = socket.remoteAddress ?? ''
    if (!admission.enter(ip)) {
      socket.on('error', () => socket.destroy())
      socket.resetAndDestroy()
      return
    }
    socket.on('close', () => admission.leave(ip))
    new Arrival(socket, door).wait()
  })
  // A connection that could not be accepted, for want of a descriptor, is lost; those that stand go on.
  server.on('error', () => undefined)
  if (limits.connections > 0) {
    server.maxConnections = limits.connections
    server.on('drop', () => onLimit('connections'))
  }
  return { server, closeWaiting: () => door.waiting.forEach(arrival => arrival.leave()) }
}

interface Door extends FrontDoorOptions {
  readonly waiting: Deadlines<Arrival>
}

/** A connection until its first bytes. */
class Arrival implements Holder, Due {
  seat = -1
  dueAt = 0
  readonly #socket: Socket
  readonly #door: Door

  constructor(socket: Socket, door: Door) {
    this.#socket = socket
    this.#door = door
  }

  wait(): void {
    const { waiting, limits } = this.#door
    hold(this.#socket, this)
    waiting.add(this, limits.headTimeoutMs)
  }

  onData(bytes: Buffer): void {
    const { waiting, limits, onConnect, http } = this.#door
    const socket = this.#socket
    waiting.delete(this)
    const head = { maxBytes: limits.maxHeaderBytes, maxFields: limits.maxHeaders }
    const connect = readConnectHead(bytes, head)
    if (connect !== undefined) {
      onConnect(socket, connect.authority, bytes.subarray(connect.length))
      return
    }
    socket.pause()
    release(socket)
    socket.unshift(bytes)
    http.emit('connection', socket)
    socket.resume()
  }

  onEnd(): void {
    this.leave()
  }

  onDrain(): void {}

  onClose(): void {
    this.#door.waiting.delete(this)
  }

  onLate(): void {
    this.#door.onLimit('headTimeoutMs')
    this.leave()
  }

  leave(): void {
    this.#socket.destroy()
  }
}
