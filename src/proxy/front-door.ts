/**
 * Where connections arrive: counts them, waits a bounded time for the first request line, takes a plain CONNECT itself and
 * hands every other connection to the HTTP server.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Server as HttpServer } from 'node:http'
import type { Config } from '../config.ts'
import type { Admission } from './admission.ts'
import { PreauError } from '../errors.ts'
import { readConnectHead } from './connect-head.ts'
import { Deadlines, type Due } from './deadlines.ts'
import type { LimitName } from './limit-name.ts'
import { OddRequests } from './odd-requests.ts'
import { firstLineOf, isOtherProtocol, readOddRequestLine } from './request-line.ts'
import type { Sharer } from './shares.ts'
import { hold, release, type Holder } from './wire.ts'

export interface FrontDoorOptions {
  readonly limits: Config['limits']
  readonly admission: Admission
  /** For whom a connection is counted. */
  readonly clientOf: (socket: Socket) => Sharer
  readonly http: HttpServer
  /** A CONNECT whose head is whole; `rest` is what came after it. */
  readonly onConnect: (socket: Socket, authority: string, rest: Buffer) => void
  /** Something came that is no request, or not the whole of one. */
  readonly onBroken: (socket: Socket, error: PreauError) => void
  readonly onLimit: (limit: LimitName) => void
}

export interface FrontDoor {
  readonly server: Server
  /** Closes the connections on which nothing has come yet. */
  closeWaiting(): void
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { limits, admission, clientOf, onLimit } = options
  const door: Door = {
    ...options,
    odd: new OddRequests(options.http, limits),
    waiting: new Deadlines(limits.headTimeoutMs),
  }
  // Half-open is allowed: a client that has said all still gets the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const client = clientOf(socket)
    if (!admission.enter(client)) {
      socket.on('error', () => socket.destroy())
      socket.resetAndDestroy()
      return
    }
    socket.on('close', () => admission.leave(client))
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
  readonly odd: OddRequests
  readonly waiting: Deadlines<Arrival>
}

/** Where no request line begins, none is waited for: its first bytes are an empty line, TLS, SOCKS or garbage. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]/

/** A connection until its first request line is whole. */
class Arrival implements Holder, Due {
  seat = -1
  dueAt = 0
  readonly #socket: Socket
  readonly #door: Door
  /** A line of which more must come. */
  #begun: Buffer | undefined

  constructor(socket: Socket, door: Door) {
    this.#socket = socket
    this.#door = door
  }

  wait(): void {
    const { waiting, limits } = this.#door
    hold(this.#socket, this)
    waiting.add(this, limits.headTimeoutMs)
  }

  onData(chunk: Buffer): void {
    const { waiting, limits, onConnect } = this.#door
    const bytes = this.#begun === undefined ? chunk : Buffer.concat([this.#begun, chunk])
    const head = { maxBytes: limits.maxHeaderBytes, maxFields: limits.maxHeaders }
    const connect = readConnectHead(bytes, head)
    if (connect !== undefined) {
      waiting.delete(this)
      onConnect(this.#socket, connect.authority, bytes.subarray(connect.length))
      return
    }
    const line = firstLineOf(bytes)
    if (line === '' && this.#mayGrow(bytes)) {
      this.#begun = bytes
      return
    }
    waiting.delete(this)
    this.#handOver(bytes, line)
  }

  /** Whether these bytes, without the end of a line, may become a request line. */
  #mayGrow(bytes: Buffer): boolean {
    const { maxHeaderBytes } = this.#door.limits
    const isBounded = maxHeaderBytes === 0 || bytes.length < maxHeaderBytes
    return isBounded && TOKEN.test(bytes.toString('latin1', 0, 1))
  }

  #handOver(bytes: Buffer, line: string): void {
    const { http, odd, onBroken } = this.#door
    const socket = this.#socket
    socket.pause()
    release(socket)
    if (isOtherProtocol(line)) {
      onBroken(socket, new PreauError('PREAU_BAD_REQUEST'))
      socket.resume()
    } else if (readOddRequestLine(line) !== undefined) odd.take(socket, bytes)
    else {
      socket.unshift(bytes)
      http.emit('connection', socket)
      socket.resume()
    }
  }

  onEnd(): void {
    if (this.#begun === undefined) this.leave()
    else this.#breakOff('PREAU_BAD_REQUEST')
  }

  onDrain(): void {}

  onClose(): void {
    this.#door.waiting.delete(this)
  }

  onLate(): void {
    this.#door.onLimit('headTimeoutMs')
    if (this.#begun === undefined) this.leave()
    else this.#breakOff('PREAU_REQUEST_TIMEOUT')
  }

  #breakOff(code: 'PREAU_BAD_REQUEST' | 'PREAU_REQUEST_TIMEOUT'): void {
    this.#door.waiting.delete(this)
    release(this.#socket)
    this.#door.onBroken(this.#socket, new PreauError(code))
    this.#socket.resume()
  }

  leave(): void {
    this.#socket.destroy()
  }
}
